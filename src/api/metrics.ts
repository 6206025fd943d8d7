import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** One value of a metric with labels. */
interface MetricRow {
  labels: Record<string, string>
  value: number
}

/** The metrics of a process, and the one door to prom-client. */
export interface Metrics {
  counter(name: string, help: string, labels?: string[]): (labels?: Record<string, string>, by?: number) => void
  /** A counter whose values another part keeps, by the value of its label; read at each scrape. */
  counted(name: string, help: string, label: string, read: () => ReadonlyMap<string, number>): void
  /** A counter without labels that another part keeps; read at each scrape. */
  total(name: string, help: string, read: () => number): void
  /** Read at each scrape. */
  gauge(name: string, help: string, read: () => number): void
  /** A gauge with labels: rows that are gone are shown no more. Read at each scrape. */
  table(name: string, help: string, labels: string[], read: () => MetricRow[]): void
  histogram(
    name: string,
    help: string,
    labels: string[],
    buckets?: number[],
  ): (labels: Record<string, string>, value: number) => void
  render(): Promise<{ contentType: string; text: string }>
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return {
    counter(name, help, labels = []) {
      const counter = new Counter({ name, help, labelNames: labels, registers: [registry] })
      return (values = {}, by = 1) => counter.inc(values, by)
    },
    counted(name, help, label, read) {
      const counter = new Counter({
        name,
        help,
        labelNames: [label],
        registers: [registry],
        collect() {
          counter.reset()
          for (const [value, count] of read()) counter.inc({ [label]: value }, count)
        },
      })
    },
    total(name, help, read) {
      const counter = new Counter({
        name,
        help,
        registers: [registry],
        collect() {
          counter.reset()
          counter.inc(read())
        },
      })
    },
    gauge(name, help, read) {
      const gauge = new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          gauge.set(read())
        },
      })
    },
    table(name, help, labels, read) {
      const gauge = new Gauge({
        name,
        help,
        labelNames: labels,
        registers: [registry],
        collect() {
          gauge.reset()
          for (const row of read()) gauge.set(row.labels, row.value)
        },
      })
    },
    histogram(name, help, labels, buckets) {
      const histogram = new Histogram({
        name,
        help,
        labelNames: labels,
        registers: [registry],
        ...(buckets === undefined ? {} : { buckets }),
      })
      return (values, value) => histogram.observe(values, value)
    },
    async render() {
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}
