import { BarChart, ScatterChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components'
import { type EChartsCoreOption, init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import type { Row } from './summary.ts'

use([BarChart, ScatterChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])

const SIZE = { width: 960, height: 380 }
const COLORS = ['#9aa5b1', '#2f6f8f', '#c2410c', '#15803d']

const label = ({ work, connections }: Row): string => `${work} @ ${connections}`

function svg(title: string, unit: string, summary: Row[], series: object[]): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...SIZE })
  const option: EChartsCoreOption = {
    animation: false,
    backgroundColor: '#fff',
    color: COLORS,
    title: { text: title, left: 'center', textStyle: { fontSize: 15 } },
    legend: { bottom: 0 },
    grid: { left: 60, right: 20, top: 50, bottom: 80 },
    xAxis: { type: 'category', data: summary.map(label), axisLabel: { rotate: 30 } },
    yAxis: { type: 'value', name: unit },
    series,
  }
  chart.setOption(option)
  const text = chart.renderToSVGString()
  chart.dispose()
  return text
}

const pair = (summary: Row[], metric: keyof Row['floor']) =>
  (['floor', 'lintel'] as const).map(side => ({
    type: 'bar',
    name: side === 'floor' ? 'floor' : 'Lintel',
    data: summary.map(row => row[side]?.[metric] ?? null),
  }))

const mark = (name: string, symbol: string, data: (number | undefined)[]) => ({
  type: 'scatter',
  name,
  symbol,
  symbolSize: 12,
  data: data.map(value => value ?? null),
})

const ratios = (summary: Row[]) => [
  { type: 'bar', name: 'the floor', data: summary.map(() => 1) },
  { type: 'bar', name: 'Lintel', data: summary.map(row => row.ratio ?? null) },
  mark(
    'must',
    'diamond',
    summary.map(row => row.must),
  ),
  mark(
    'want',
    'triangle',
    summary.map(row => row.want),
  ),
]

interface Plot {
  file: string
  title: string
  draw(summary: Row[]): string
}

const plot = (file: string, title: string, unit: string, series: (summary: Row[]) => object[]): Plot => ({
  file,
  title,
  draw: summary => svg(title, unit, summary, series(summary)),
})

export const plots: Plot[] = [
  plot('ratio.svg', 'Requests per second, as a share of the floor’s', '× floor', ratios),
  plot('cpu.svg', 'CPU of the server process for one request', 'µs', rows => pair(rows, 'cpuMicros')),
  plot('database.svg', 'CPU of PostgreSQL for one request', 'µs', rows => pair(rows, 'databaseMicros')),
  plot('p99.svg', '99th percentile of the answer time', 'ms', rows => pair(rows, 'p99Ms')),
]
