import type { Clock, Random } from '../../base/index.ts'
import type { CpeMethods, CpeModel, CpeTransport } from '../../cwmp/index.ts'

/** The device around a quirk. */
interface QuirkyDevice {
  model: CpeModel
  /** For waits within an answer. */
  clock: Clock
  random: Random
  /** Restarts the device, without an event of a command. */
  restart(): void
}

/**
 * One way in which a simulated CPE errs on purpose, as devices in the field do: decorators of the ports of the CPE that
 * it changes. Each gets the port as the standard, and the quirks before this one, make it.
 */
export interface CpeQuirk {
  model?(inner: CpeModel): CpeModel
  methods?(inner: CpeMethods, device: QuirkyDevice): CpeMethods
  transport?(inner: CpeTransport, device: QuirkyDevice): CpeTransport
}

/** The ports of a CPE with quirks. */
interface QuirkyPorts {
  model: CpeModel
  methods(standard: CpeMethods): CpeMethods
  transport: CpeTransport
}

/** Returns the ports of a CPE with its quirks, the first one innermost. Without quirks they are those given. */
export function withQuirks(
  quirks: readonly CpeQuirk[],
  ports: { model: CpeModel; transport: CpeTransport },
  around: Omit<QuirkyDevice, 'model'>,
): QuirkyPorts {
  const model = quirks.reduce((inner, quirk) => quirk.model?.(inner) ?? inner, ports.model)
  const device = { ...around, model }
  return {
    model,
    methods: (standard) => quirks.reduce((inner, quirk) => quirk.methods?.(inner, device) ?? inner, standard),
    transport: quirks.reduce((inner, quirk) => quirk.transport?.(inner, device) ?? inner, ports.transport),
  }
}
