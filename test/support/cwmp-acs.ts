import { type Log, silentLog, systemRandom } from '../../src/base/index.ts'
import { Acs, type AcsOptions } from '../../src/cwmp/index.ts'
import type { Completion, Contact, CwmpCredential, DeviceId } from '../../src/domain/index.ts'
import { createManualClock, type ManualClock } from './manual-clock.ts'
import { createMemoryCredentials } from './memory-credentials.ts'
import { createMemoryStores, type MemoryStores } from './memory-stores.ts'

export interface TestAcs {
  acs: Acs
  clock: ManualClock
  stores: MemoryStores
  credentials: Map<DeviceId, CwmpCredential>
  completions: Completion[]
  /** The use of the ACS turn; nothing at first. */
  onContact(work: (contact: Contact) => Promise<void>): void
  stop(): Promise<void>
}

export const ENROLMENT_SECRET = 'enrolment secret'

/** The ACS with its real listener on a free port, over stores in memory and a clock that stands still. */
export async function startAcs(options: Partial<AcsOptions> = {}): Promise<TestAcs> {
  const clock = createManualClock()
  const stores = createMemoryStores(clock)
  const credentials = new Map<DeviceId, CwmpCredential>()
  const completions: Completion[] = []
  let work: ((contact: Contact) => Promise<void>) | undefined
  const log: Log = silentLog
  const acs = new Acs({
    host: '127.0.0.1',
    port: 0,
    policy: 'open',
    enrolmentSecret: ENROLMENT_SECRET,
    allowBasicOverHttp: false,
    informIntervalS: 3600,
    discovery: 'none',
    maxSessions: 100,
    devices: stores.devices,
    parameters: stores.parameters,
    credentials: createMemoryCredentials(credentials),
    upward: {
      contact: async (contact) => work?.(contact),
      hasNews: () => false,
      factsDue: () => false,
      completed: async (completion) => void completions.push(completion),
    },
    clock,
    random: systemRandom,
    log,
    ...options,
  })
  await acs.start()
  return {
    acs,
    clock,
    stores,
    credentials,
    completions,
    onContact(wanted) {
      work = wanted
    },
    stop: () => acs.stop(),
  }
}
