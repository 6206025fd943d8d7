import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** The metrics of the server, and the one door to prom-client. */
export interface Metrics {
  counter(name: string, help: string, labels?: string[]): (labels?: Record<string, string>, by?: number) => void
  /** Read when somebody scrapes. */
  gauge(name: string, help: string, read: () => number | Record<string, number>, label?: string): void
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
  collectDefaultMetrics({ register: registry, prefix: 'isthmus_' })
  return {
    counter(name, help, labels = []) {
      const counter = new Counter({ name, help, labelNames: labels, registers: [registry] })
      return (values = {}, by = 1) => counter.inc(values, by)
    },
    gauge(name, help, read, label) {
      const gauge = new Gauge({
        name,
        help,
        labelNames: label === undefined ? [] : [label],
        registers: [registry],
        collect() {
          const value = read()
          if (typeof value === 'number') gauge.set(value)
          else for (const [key, number] of Object.entries(value)) gauge.set({ [label ?? 'name']: key }, number)
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
