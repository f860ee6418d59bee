// The layers of a cache and where each lies in its memory: one after the other, as cacheLayerElements of the
// contract counts them. An attention layer is keys, then values unless it keeps keys only, [blocks, kvHeads,
// 16, headDim] each; a recurrent one is per slot the inputs of its convolution, then its state.
#pragma once

#include <memory>
#include <vector>

#include "../memory.h"

namespace airllm {

class Reader;

struct AttentionLayer {
  float* keys;
  /** Null where only keys are kept. */
  float* values;
  size_t blocks;
};

struct RecurrentLayer {
  /** Of slot 0. */
  float* inputs;
  float* state;
  size_t slotStride;
  size_t slots;
};

class CacheLayers {
 public:
  /** Reads memory, blocks, slots and layers; every layer must lie in the memory. */
  void read(Reader& in);

  /** Throws InvalidOperand unless layer `index` has this shape. */
  AttentionLayer attention(size_t index, size_t kvHeads, size_t headDim, bool keysOnly) const;
  /** One with [width − 1, channels] inputs. */
  RecurrentLayer convolution(size_t index, size_t channels, size_t width) const;
  /** One with state [heads, keyDim, valueDim]. */
  RecurrentLayer delta(size_t index, size_t heads, size_t keyDim, size_t valueDim) const;

 private:
  enum class Kind { kAttention = 1, kRecurrent = 2 };
  struct Layer {
    Kind kind;
    /** kvHeads, headDim, keysOnly; or channels, width, heads, keyDim, valueDim. */
    size_t sizes[5];
    /** Its first element, and elements of a slot or of all keys. */
    size_t offset;
    size_t part;
  };

  const Layer& layer(size_t index) const;
  RecurrentLayer recurrent(const Layer& layer) const;

  std::shared_ptr<Memory> memory_;
  size_t blocks_ = 0;
  size_t slots_ = 0;
  std::vector<Layer> layers_;
};

}  // namespace airllm
