#include "cache_layers.h"

#include <initializer_list>

#include "reader.h"

namespace airllm {
namespace {

std::string listed(std::initializer_list<size_t> sizes) {
  std::string text;
  for (const size_t size : sizes) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return text;
}

[[noreturn]] void refuseLayer(size_t index, const char* wanted, std::initializer_list<size_t> sizes) {
  refuse("Expected " + std::string(wanted) + " (" + listed(sizes) + ") in layer " + std::to_string(index) +
         " of the cache, but it keeps something else; make the cache from the shape of the model");
}

}  // namespace

void CacheLayers::read(Reader& in) {
  const size_t number = in.integer();
  if (number == 0) return;
  memory_ = in.memory(number);
  blocks_ = in.integer();
  slots_ = in.integer();
  const size_t limit = memory_->byteLength() / sizeof(float);
  size_t offset = 0;
  for (size_t left = in.integer(); left > 0; left--) {
    const size_t kind = in.integer();
    expect(kind == 1 || kind == 2, "Expected a known kind of cache layer");
    Layer layer{static_cast<Kind>(kind), {}, offset, 0};
    const size_t count = layer.kind == Kind::kAttention ? 3 : 5;
    for (size_t i = 0; i < count; i++) layer.sizes[i] = in.integer();
    const size_t* s = layer.sizes;
    size_t elements;
    if (layer.kind == Kind::kAttention) {
      layer.part = product(product(product(s[0], s[1]), kKvBlockTokens), blocks_);
      elements = product(layer.part, s[2] != 0 ? 1 : 2);
    } else {
      expect(s[1] > 0, "Expected a convolution of at least one row in a cache layer");
      layer.part = total(product(s[1] - 1, s[0]), product(product(s[2], s[3]), s[4]));
      elements = product(layer.part, slots_);
    }
    expect(inside(offset, elements, limit), "Expected every layer inside its cache");
    offset += elements;
    layers_.push_back(layer);
  }
}

const CacheLayers::Layer& CacheLayers::layer(size_t index) const {
  expect(memory_ != nullptr, "Expected a KV cache for an op that remembers its sequences");
  if (index >= layers_.size()) {
    refuse("Expected a layer of the cache below " + std::to_string(layers_.size()) + " but received " +
           std::to_string(index));
  }
  return layers_[index];
}

AttentionLayer CacheLayers::attention(size_t index, size_t kvHeads, size_t headDim, bool keysOnly) const {
  const Layer& found = layer(index);
  const size_t* s = found.sizes;
  if (found.kind != Kind::kAttention || s[0] != kvHeads || s[1] != headDim || (s[2] != 0) != keysOnly) {
    refuseLayer(index, keysOnly ? "keys alone of heads, columns" : "keys and values of heads, columns",
                {kvHeads, headDim});
  }
  float* keys = reinterpret_cast<float*>(memory_->data()) + found.offset;
  return {keys, keysOnly ? nullptr : keys + found.part, blocks_};
}

RecurrentLayer CacheLayers::convolution(size_t index, size_t channels, size_t width) const {
  const Layer& found = layer(index);
  if (found.kind != Kind::kRecurrent || found.sizes[0] != channels || found.sizes[1] != width) {
    refuseLayer(index, "a convolution of channels, rows", {channels, width});
  }
  return recurrent(found);
}

RecurrentLayer CacheLayers::delta(size_t index, size_t heads, size_t keyDim, size_t valueDim) const {
  const Layer& found = layer(index);
  const size_t* s = found.sizes;
  if (found.kind != Kind::kRecurrent || s[2] != heads || s[3] != keyDim || s[4] != valueDim) {
    refuseLayer(index, "a state of heads, key columns, value columns", {heads, keyDim, valueDim});
  }
  return recurrent(found);
}

RecurrentLayer CacheLayers::recurrent(const Layer& layer) const {
  float* inputs = reinterpret_cast<float*>(memory_->data()) + layer.offset;
  return {inputs, inputs + (layer.sizes[1] - 1) * layer.sizes[0], layer.part, slots_};
}

}  // namespace airllm
