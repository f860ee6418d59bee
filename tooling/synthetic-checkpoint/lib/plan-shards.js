// Which file each tensor goes to, as save_pretrained does it: in module order until a shard is full, and inside a file
// by name, as the reference writer of safetensors sorts tensors of one dtype.

/** `tensors` have `name` and `byteLength`; a tensor larger than a shard gets one to itself. */
export function planShards(tensors, shardBytes) {
  const shards = [];
  let room = 0;
  for (const tensor of tensors) {
    if (shards.length === 0 || tensor.byteLength > room) {
      shards.push([]);
      room = shardBytes;
    }
    shards[shards.length - 1].push(tensor);
    room -= tensor.byteLength;
  }
  return shards.map((shard, index) => ({
    file: shardName(index, shards.length),
    tensors: shard.sort((a, b) => (a.name < b.name ? -1 : 1)),
  }));
}

function shardName(index, count) {
  if (count === 1) return 'model.safetensors';
  const padded = (number) => String(number).padStart(5, '0');
  return `model-${padded(index + 1)}-of-${padded(count)}.safetensors`;
}
