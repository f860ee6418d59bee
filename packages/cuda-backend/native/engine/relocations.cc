#include "relocations.h"

namespace airllm {
namespace {

struct Mover {
  const Relocations& weights;
  const Relocations& lists;

  void move(Weight& w) const {
    w.data = weights.of(w.data);
    w.scales.data = weights.of(w.scales.data);
    Packing& p = w.packing;
    for (const uint8_t** part :
         {&p.factors, &p.codes, &p.nestedCodes, &p.nestedFactors, &p.zeros, &p.rowGroups}) {
      *part = weights.of(*part);
    }
  }

  void operator()(EmbeddingOp& op) const {
    move(op.table);
    op.ids = lists.of(op.ids);
  }
  void operator()(RmsNormOp& op) const { move(op.weight); }
  void operator()(LayerNormOp& op) const {
    move(op.weight);
    move(op.bias);
  }
  void operator()(LinearOp& op) const {
    move(op.weight);
    move(op.bias);
  }
  void operator()(LinearTransposedOp& op) const {
    move(op.weight);
    move(op.bias);
  }
  void operator()(AttentionOp& op) const {
    move(op.sinks);
    op.slopes = lists.of(op.slopes);
    op.places = lists.of(op.places);
  }
  void operator()(LatentAttentionOp& op) const {
    move(op.kvB);
    op.places = lists.of(op.places);
  }
  void operator()(ShortConvOp& op) const {
    move(op.weight);
    move(op.bias);
    op.inputs.sequences = lists.of(op.inputs.sequences);
  }
  void operator()(GatedDeltaOp& op) const {
    move(op.aLog);
    move(op.dtBias);
    op.state.sequences = lists.of(op.state.sequences);
  }
  void operator()(GatherRowsOp& op) const {
    op.indices = lists.of(op.indices);
    op.scales = lists.of(op.scales);
  }
  void operator()(ScatterAddRowsOp& op) const {
    op.indices = lists.of(op.indices);
    op.scales = lists.of(op.scales);
  }
  /** Ops on tensors alone. */
  template <typename TensorOp>
  void operator()(TensorOp&) const {}
};

}  // namespace

Op relocated(const Op& op, const Relocations& weights, const Relocations& lists) {
  Op moved = op;
  std::visit(Mover{weights, lists}, moved);
  return moved;
}

}  // namespace airllm
