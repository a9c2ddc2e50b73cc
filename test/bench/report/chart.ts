/**
 * Lines over a logarithmic x axis, one panel above another, as an SVG that stands alone: it brings its own paper and
 * follows the reader's light or dark. Who a line is, is told by its name beside it, its mark and its stroke; colour only
 * sets ours apart from the rest.
 */
export interface Point {
  readonly x: number
  readonly y: number
}

export interface Line {
  readonly name: string
  readonly points: readonly Point[]
  readonly kind: 'ours' | 'floor' | 'peer'
  /** Else its marks are hollow. */
  readonly isDurable: boolean
}

export interface Panel {
  readonly title: string
  readonly lines: readonly Line[]
}

export interface Chart {
  readonly title: string
  readonly subtitle: string
  readonly xLabel: string
  readonly ticks: readonly (readonly [x: number, label: string])[]
  readonly panels: readonly Panel[]
  readonly source: string
}

const width = 480
const plot = { left: 44, right: 270, height: 176 }
const head = 74
const panelHeight = 246
const labelHeight = 14.5

export function drawChart({ title, subtitle, xLabel, ticks, panels, source }: Chart): string {
  const lines = panels.flatMap((panel) => panel.lines)
  const xs = [...lines.flatMap((line) => line.points.map(({ x }) => x)), ...ticks.map(([x]) => x)]
  const ys = lines.flatMap((line) => line.points.map(({ y }) => y)).filter((y) => y > 0)
  const xRange: Range = [Math.min(...xs), Math.max(...xs)]
  const yRange: Range = [Math.min(...ys, 1) / 1.2, Math.max(...ys, 1) * 1.2]
  const names = [...new Set(lines.map(({ name }) => name))]
  const height = head + panels.length * panelHeight + 22
  const drawn = panels.map((panel, i) =>
    drawPanel(panel, { top: head + i * panelHeight, xRange, yRange, ticks, xLabel, names }),
  )
  const described = panels.map((panel) => `${panel.title}: ${panel.lines.map(inWords).join('; ')}.`).join(' ')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc">
<title id="title">${escapeXml(title)}</title>
<desc id="desc">${escapeXml(`${subtitle}. ${described}`)}</desc>
<style>${style}</style>
<rect class="paper" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10"/>
<text class="title" x="20" y="34">${escapeXml(title)}</text>
<text class="muted" x="20" y="54">${escapeXml(subtitle)}</text>
${drawn.join('\n')}
<text class="small" x="20" y="${height - 14}">${escapeXml(source)}</text>
</svg>
`
}

type Range = readonly [number, number]

function drawPanel(
  panel: Panel,
  at: {
    readonly top: number
    readonly xRange: Range
    readonly yRange: Range
    readonly ticks: Chart['ticks']
    readonly xLabel: string
    readonly names: readonly string[]
  },
): string {
  const top = at.top + 26
  const bottom = top + plot.height
  const x = (value: number) => plot.left + 8 + share(value, at.xRange) * (plot.right - plot.left - 16)
  const y = (value: number) => bottom - share(value, at.yRange) * plot.height
  const rules = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300]
    .filter((value) => value >= at.yRange[0] && value <= at.yRange[1])
    .map(
      (value) =>
        `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${num(y(value))}" y2="${num(y(value))}"/>` +
        `<text class="tick" text-anchor="end" x="${plot.left - 6}" y="${num(y(value) + 4)}">${value}</text>`,
    )
  const places = at.ticks.map(
    ([value, label]) =>
      `<text class="tick" text-anchor="middle" x="${num(x(value))}" y="${bottom + 17}">${label}</text>`,
  )
  // Ours is drawn last, above the others.
  const sorted = [...panel.lines].sort((a, b) => Number(a.kind === 'ours') - Number(b.kind === 'ours'))
  const strokes = sorted.map((line) => {
    const mark = marks[at.names.indexOf(line.name) % marks.length]!
    const points = line.points.map((point) => `${num(x(point.x))},${num(y(point.y))}`)
    const shapes = line.points.map((point) => mark(x(point.x), y(point.y))).join('')
    const hollow = line.isDurable ? '' : ' hollow'
    return `<g class="${line.kind}${hollow}"><polyline points="${points.join(' ')}"/><path class="mark" d="${shapes}"/></g>`
  })
  const labels = spread(
    panel.lines.map((line) => ({ line, y: y(line.points.at(-1)!.y) })),
    { top: top - 6, bottom: bottom - 4 },
  ).map(({ line, y: labelY }) => {
    const last = line.points.at(-1)!
    const mark = marks[at.names.indexOf(line.name) % marks.length]!
    const hollow = line.isDurable ? '' : ' hollow'
    return (
      `<g class="${line.kind}${hollow}"><path class="lead" d="M${num(x(last.x) + 6)} ${num(y(last.y))}L${plot.right + 4} ${num(labelY)}"/>` +
      `<path class="mark" d="${mark(plot.right + 11, labelY)}"/>` +
      `<text class="name" x="${plot.right + 20}" y="${num(labelY + 4)}">${escapeXml(line.name)}</text></g>`
    )
  })
  return [
    `<text class="panel" x="20" y="${at.top + 12}">${escapeXml(panel.title)}</text>`,
    ...rules,
    ...places,
    `<text class="tick" text-anchor="end" x="${plot.right}" y="${bottom + 32}">${escapeXml(at.xLabel)}</text>`,
    `<text class="tick" x="20" y="${bottom + 32}">ms</text>`,
    ...strokes,
    ...labels,
  ].join('\n')
}

function share(value: number, [low, high]: Range): number {
  return (Math.log(Math.max(value, low)) - Math.log(low)) / (Math.log(high) - Math.log(low) || 1)
}

/** Moves labels apart until none covers another, in the order of their lines. */
function spread<T extends { readonly y: number }>(
  labels: readonly T[],
  { top, bottom }: { readonly top: number; readonly bottom: number },
): T[] {
  const sorted = [...labels].sort((a, b) => a.y - b.y)
  const ys = sorted.map(({ y }) => y)
  for (let i = 1; i < ys.length; i++) ys[i] = Math.max(ys[i]!, ys[i - 1]! + labelHeight)
  if (ys.length > 0) ys[ys.length - 1] = Math.min(ys.at(-1)!, bottom)
  for (let i = ys.length - 2; i >= 0; i--) ys[i] = Math.max(top, Math.min(ys[i]!, ys[i + 1]! - labelHeight))
  return sorted.map((label, i) => ({ ...label, y: ys[i]! }))
}

/** One mark per name, in the order the names come. */
const marks: readonly ((x: number, y: number) => string)[] = [
  (x, y) => polygon(x, y, [-4, 0, 4, 0]),
  (x, y) => `M${num(x - 4)} ${num(y)}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z`,
  (x, y) => polygon(x, y, [-3.5, -3.5, 3.5, -3.5, 3.5, 3.5, -3.5, 3.5]),
  (x, y) => polygon(x, y, [0, -4.6, 4.2, 3.2, -4.2, 3.2]),
  (x, y) => polygon(x, y, [0, -4.8, 4.8, 0, 0, 4.8, -4.8, 0]),
  (x, y) => polygon(x, y, [0, 4.6, 4.2, -3.2, -4.2, -3.2]),
  (x, y) =>
    polygon(x, y, [
      ...[-1.5, -4.5, 1.5, -4.5, 1.5, -1.5, 4.5, -1.5, 4.5, 1.5, 1.5, 1.5, 1.5, 4.5],
      ...[-1.5, 4.5, -1.5, 1.5, -4.5, 1.5, -4.5, -1.5, -1.5, -1.5],
    ]),
  (x, y) => polygon(x, y, [-4.6, 0, 3.2, -4.2, 3.2, 4.2]),
  (x, y) => polygon(x, y, [-2, -4.4, 2, -4.4, 2, 4.4, -2, 4.4]),
]

function polygon(x: number, y: number, offsets: readonly number[]): string {
  const corners: string[] = []
  for (let i = 0; i < offsets.length; i += 2) {
    corners.push(`${num(x + offsets[i]!)} ${num(y + offsets[i + 1]!)}`)
  }
  return `M${corners.join('L')}z`
}

function inWords({ name, points, isDurable }: Line): string {
  const values = points.map(({ y }) => `${num(y)} ms`).join(', ')
  return `${name}${isDurable ? '' : ' (not durable)'} ${values}`
}

const num = (value: number) => String(Math.round(value * 100) / 100)
const escapeXml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

const style = `
svg{--paper:#fff;--edge:#d8dee4;--ink:#1b2128;--muted:#57606a;--grid:#e7ebef;--peer:#6b7682;--ours:#0a5fd1}
@media (prefers-color-scheme:dark){svg{--paper:#11161d;--edge:#2d353f;--ink:#e8edf2;--muted:#9aa6b2;--grid:#242c36;--peer:#8a96a3;--ours:#6cb2ff}}
text{font:12.5px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--ink)}
.title{font-size:17px;font-weight:650}.panel{font-size:14px;font-weight:600}
.muted,.tick{fill:var(--muted)}.tick,.small{font-size:11.5px}.small{fill:var(--muted)}.name{font-size:12px;fill:var(--muted)}
.paper{fill:var(--paper);stroke:var(--edge)}.grid{stroke:var(--grid)}
polyline{fill:none;stroke-width:1.25;stroke-linejoin:round}.lead{fill:none;stroke:var(--edge)}
.mark{stroke-width:1.25}
.peer polyline,.peer .mark{stroke:var(--peer)}.peer .mark{fill:var(--peer)}
.floor polyline,.floor .mark{stroke:var(--ink)}.floor polyline{stroke-dasharray:5 4;stroke-width:1.75}.floor .name{fill:var(--ink)}
.ours polyline{stroke:var(--ours);stroke-width:3.25}.ours .mark{stroke:var(--ours);fill:var(--ours)}.ours .name{fill:var(--ours);font-weight:700}
.hollow .mark{fill:var(--paper)}`
