import type { MqttModel } from './served-router.ts'

/** A value of telemetry. */
type MetricValue = string | number
/** One item of a list: its labels, its value or values, and its row in TR-181 (`path`). */
export type MetricItem = Readonly<Record<string, MetricValue>>

/** The measured part of a message below `telemetry/`. */
export interface Measured {
  readonly unit: string
  /** One value, or a list. */
  readonly value?: MetricValue
  readonly values?: readonly MetricItem[]
}

/** A metric of a router. */
export interface Metric {
  readonly name: string
  /** Resolves with what was measured; undefined when the router has nothing of it. AgentError. */
  read(model: Pick<MqttModel, 'instances' | 'get'>, at: number): Promise<Measured | undefined>
}

/** Returns the number in a value; undefined when there is none. */
export function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined
}

/** Returns a metric of one parameter. */
export function single(name: string, path: string, unit: string): Metric {
  return {
    name,
    async read(model) {
      const value = numberIn((await model.get([path])).get(path))
      return value === undefined ? undefined : { unit, value }
    },
  }
}
