/**
 * Draws how long messages take through a lossy network: for each transport the share that has arrived after each time.
 *
 * @module
 */
import type { LatencyResult, Transport } from "./latency.ts";

/** A line's colour, from the palette of Okabe and Ito, which colour-blind people can tell apart; and its dashes. */
const STYLES: Record<Transport, { color: string; dashes?: string; width?: number }> = {
  ours: { color: "#0072b2", width: 3 },
  against: { color: "#56b4e9", width: 2.5, dashes: "7 3" },
  tcp: { color: "#d55e00" },
  door: { color: "#e69f00", dashes: "8 3" },
  quic: { color: "#009e73" },
  classic: { color: "#555", dashes: "2 3" },
};
const LINE_WIDTH = 2;
const GRID = ' stroke="#ddd"';

/** The time axis, in milliseconds. */
const [SHORTEST, LONGEST] = [1, 30_000];
const TIMES = [[1, "1 ms"], [10, "10 ms"], [100, "100 ms"], [1000, "1 s"], [10_000, "10 s"]] as const;
const SHARES = [0, 0.25, 0.5, 0.75, 1];

/** The most panels that can be read beside each other. */
const MOST_PANELS = 3;

/** Everything in pixels. */
const WIDTH = 800, HEIGHT = 344;
const PANELS = { left: 50, right: 790, top: 88, bottom: 296, gap: 22 };
const LEGEND = { left: 50, y: 46, sample: 26, space: 18, letter: 6.6 };

/** Draws the results at up to three shares of loss, the lowest and the highest among them, as SVG. */
export function latencyPlot(results: readonly LatencyResult[]): string {
  const groups = [...Map.groupBy(results, ({ drop }) => drop)].sort(([a], [b]) => a - b);
  const shown = groups.length <= MOST_PANELS
    ? groups
    : [groups[0], groups[groups.length >> 1], groups[groups.length - 1]];
  const width = (PANELS.right - PANELS.left - PANELS.gap * (shown.length - 1)) / shown.length;
  const panels = shown.map(([drop, group], i) =>
    drawPanel(drop, group, Math.round(PANELS.left + i * (width + PANELS.gap)), Math.floor(width))
  );
  const middle = (PANELS.top + PANELS.bottom) / 2;
  const title = "How long a message takes to the others when packets are lost";
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#222" role="img" aria-label="${title}">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${PANELS.left}" y="22" font-size="15" font-weight="bold">${title}</text>
${drawLegend(results)}
<text transform="translate(13 ${middle}) rotate(-90)" text-anchor="middle">messages that have arrived</text>
<text x="${(PANELS.left + PANELS.right) / 2}" y="${HEIGHT - 10}" text-anchor="middle">` +
    `time from said to shown</text>
${panels.join("\n")}
</svg>
`;
}

function drawLegend(results: readonly LatencyResult[]): string {
  let x = LEGEND.left;
  const labels = new Map(results.map(({ transport, label }) => [transport, label]));
  return [...labels].map(([transport, label]) => {
    const start = x, end = x + LEGEND.sample;
    x = end + 6 + Math.ceil(label.length * LEGEND.letter) + LEGEND.space;
    return `<path d="M${start} ${LEGEND.y - 4}H${end}"${stroke(transport)}/>` +
      `<text x="${end + 6}" y="${LEGEND.y}">${escapeXml(label)}</text>`;
  }).join("\n");
}

function drawPanel(drop: number, results: readonly LatencyResult[], left: number, width: number): string {
  const { top, bottom } = PANELS, right = left + width;
  const axis = (time: number) => {
    const share = Math.log(time / SHORTEST) / Math.log(LONGEST / SHORTEST);
    return Math.round(left + width * Math.min(1, Math.max(0, share)));
  };
  const height = (share: number) => Math.round(2 * (bottom - share * (bottom - top))) / 2;
  const times = TIMES.map(([time, text]) =>
    `<path d="M${axis(time)} ${top}V${bottom}"${GRID}/><text x="${axis(time)}" y="${bottom + 16}" ` +
    `text-anchor="middle">${text}</text>`
  );
  const shares = SHARES.map((share) =>
    `<path d="M${left} ${height(share)}H${right}"${GRID}/>` +
    (left === PANELS.left
      ? `<text x="${left - 6}" y="${height(share) + 4}" text-anchor="end">${100 * share}%</text>`
      : "")
  );
  // what is drawn last lies on top: ours
  const lines = [...results].reverse().map((result) =>
    `<path d="${drawSteps(result, axis, height)}H${right}"${stroke(result.transport)}/>`
  );
  return `<text x="${left}" y="${top - 9}" font-weight="bold">${drop}% lost each way</text>
${[...times, ...shares].join("\n")}
${lines.join("\n")}`;
}

/** The steps of the share that has arrived, one for each pixel of time at most. */
function drawSteps(
  { delays, expected }: LatencyResult,
  axis: (time: number) => number,
  height: (share: number) => number,
): string {
  const sorted = delays.filter((delay) => delay <= LONGEST).sort((a, b) => a - b);
  const columns = new Map(sorted.map((delay, i) => [axis(delay), height((i + 1) / expected)]));
  let [x, y] = [axis(SHORTEST), height(0)], path = `M${x} ${y}`;
  for (const [nextX, nextY] of columns) {
    if (nextY === y) continue;
    path += `h${nextX - x}v${nextY - y}`;
    [x, y] = [nextX, nextY];
  }
  return path;
}

function stroke(transport: Transport): string {
  const { color, dashes, width = LINE_WIDTH } = STYLES[transport];
  return ` fill="none" stroke="${color}" stroke-width="${width}"${dashes ? ` stroke-dasharray="${dashes}"` : ""}`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
