// Bars as SVG: one group per memory limit, one bar per engine, the limit of the disk as a line over each group.

const COLOURS = ['#2563eb', '#d97706', '#059669', '#7c3aed'];
const WIDTH = 760;
const HEIGHT = 380;
const MARGIN = { top: 56, right: 24, bottom: 64, left: 64 };

/** `groups`: [{ label, limit, bars: [{ name, value }] }], values in tokens/s. */
export function plotBars({ title, subtitle, groups }) {
  const names = groups[0].bars.map(({ name }) => name);
  const top =
    Math.max(...groups.flatMap(({ limit, bars }) => [limit, ...bars.map(({ value }) => value)])) * 1.1;
  const plotWidth = WIDTH - MARGIN.left - MARGIN.right;
  const plotHeight = HEIGHT - MARGIN.top - MARGIN.bottom;
  const y = (value) => MARGIN.top + plotHeight * (1 - value / top);
  const groupWidth = plotWidth / groups.length;
  const barWidth = (groupWidth * 0.7) / names.length;
  const marks = groups.flatMap(({ label, limit, bars }, group) => {
    const left = MARGIN.left + group * groupWidth + groupWidth * 0.15;
    const right = left + barWidth * names.length;
    return [
      ...bars.map(({ value }, index) => {
        const x = left + index * barWidth;
        const height = HEIGHT - MARGIN.bottom - y(value);
        return (
          `<rect x="${n(x + 2)}" y="${n(y(value))}" width="${n(barWidth - 4)}" height="${n(height)}" fill="${COLOURS[index]}"/>` +
          text(x + barWidth / 2, y(value) - 6, value.toFixed(2), { anchor: 'middle' })
        );
      }),
      `<line x1="${n(left - 8)}" x2="${n(right + 8)}" y1="${n(y(limit))}" y2="${n(y(limit))}" stroke="#dc2626" stroke-dasharray="5 4"/>`,
      text(right + 8, y(limit) - 6, `limit ${limit.toFixed(2)}`, { anchor: 'end', fill: '#dc2626' }),
      text((left + right) / 2, HEIGHT - MARGIN.bottom + 18, label, { anchor: 'middle' }),
    ];
  });
  const legend = names.map((name, index) => {
    const x = MARGIN.left + index * 220;
    const row = HEIGHT - 20;
    return (
      `<rect x="${x}" y="${row - 10}" width="12" height="12" fill="${COLOURS[index]}"/>` +
      text(x + 18, row, name)
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(MARGIN.left, 22, title, { size: 15 }),
    text(MARGIN.left, 40, subtitle, { fill: '#52525b' }),
    `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${HEIGHT - MARGIN.bottom}" y2="${HEIGHT - MARGIN.bottom}" stroke="#52525b"/>`,
    text(18, MARGIN.top - 4, 'tokens/s'),
    ...marks,
    ...legend,
    '</svg>\n',
  ].join('\n');
}

const n = (value) => value.toFixed(1);
const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function text(x, y, content, { anchor = 'start', fill = '#18181b', size = 12 } = {}) {
  const escaped = content.replace(/[&<>]/g, (character) => ESCAPES[character]);
  return `<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}" fill="${fill}" font-size="${size}">${escaped}</text>`;
}
