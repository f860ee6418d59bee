import { routeExperts } from './route.js';

/** ln of these: softmax gives back probabilities in these proportions. */
const logs = (...weights: number[]): number[] => weights.map(Math.log);
const plain = (rows: ReturnType<typeof routeExperts>) =>
  rows.map(({ expert, rows, scales }) => ({
    expert,
    rows: [...rows],
    scales: [...scales].map((scale) => Number(scale.toFixed(6))),
  }));

describe('routeExperts', () => {
  it('takes the most probable experts and normalises their probabilities', () => {
    // Probabilities 1/10, 4/10, 2/10, 3/10: experts 1 and 3 share 7/10.
    const routed = routeExperts(Float32Array.from(logs(1, 4, 2, 3)), 4, { topK: 2, normalizeTopK: true });
    expect(plain(routed)).toEqual([
      { expert: 1, rows: [0], scales: [0.571429] },
      { expert: 3, rows: [0], scales: [0.428571] },
    ]);
  });

  it('leaves the probabilities as they are where the model does', () => {
    const routed = routeExperts(Float32Array.from(logs(1, 4, 2, 3)), 4, { topK: 2, normalizeTopK: false });
    expect(plain(routed)).toEqual([
      { expert: 1, rows: [0], scales: [0.4] },
      { expert: 3, rows: [0], scales: [0.3] },
    ]);
  });

  it('groups the rows of a pass by expert, in ascending order of both', () => {
    const logits = Float32Array.from([...logs(1, 3, 6), ...logs(6, 1, 3), ...logs(3, 6, 1)]);
    expect(plain(routeExperts(logits, 3, { topK: 1, normalizeTopK: true }))).toEqual([
      { expert: 0, rows: [1], scales: [1] },
      { expert: 1, rows: [2], scales: [1] },
      { expert: 2, rows: [0], scales: [1] },
    ]);
    expect(plain(routeExperts(logits, 3, { topK: 2, normalizeTopK: false }))).toEqual([
      { expert: 0, rows: [1, 2], scales: [0.6, 0.3] },
      { expert: 1, rows: [0, 2], scales: [0.3, 0.6] },
      { expert: 2, rows: [0, 1], scales: [0.6, 0.3] },
    ]);
  });

  it('takes the lower index among equals', () => {
    const routed = routeExperts(Float32Array.of(0, 0, 0, 0), 4, { topK: 2, normalizeTopK: false });
    expect(plain(routed)).toEqual([
      { expert: 0, rows: [0], scales: [0.25] },
      { expert: 1, rows: [0], scales: [0.25] },
    ]);
  });

  it('takes all experts when asked for all', () => {
    const routed = routeExperts(Float32Array.from(logs(1, 3)), 2, { topK: 2, normalizeTopK: true });
    expect(plain(routed)).toEqual([
      { expert: 0, rows: [0], scales: [0.25] },
      { expert: 1, rows: [0], scales: [0.75] },
    ]);
  });

  it('stands logits that have no exponential', () => {
    // 1000 and 1000 − ln 3: probabilities 3/4 and 1/4.
    const routed = routeExperts(Float32Array.of(1000 - Math.log(3), 1000, -1000), 3, {
      topK: 2,
      normalizeTopK: false,
    });
    // float32 has steps of 6e-5 at 1000.
    expect(routed.map(({ expert }) => expert)).toEqual([0, 1]);
    expect(routed[0]?.scales[0]).toBeCloseTo(0.25, 4);
    expect(routed[1]?.scales[0]).toBeCloseTo(0.75, 4);
  });
});
