import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { silentLog, systemRandom } from '../../src/base/index.ts'
import { createSecretBox } from '../../src/security/index.ts'
import { EmbeddedDatabase, openStore, type Store } from '../../src/store/index.ts'
import { ENGINE_CACHE } from './global-setup.ts'
import { createManualClock } from './manual-clock.ts'

/** The data folders of earlier versions, with the first API key of each. */
const FIXTURES = {
  '0.1.0': { key: 'isthmus_01m8fd3fhz0000009fcky40c0s_p4CPp0eKATLYs38FV9w9_MbPfOhOH4q9', at: 1_795_813_600_000 },
} as const

/** A data folder that an earlier version wrote, unpacked, with its embedded database started. */
export class DataFolder {
  readonly dir = mkdtempSync(join(tmpdir(), 'isthmus-data-'))
  readonly version: keyof typeof FIXTURES
  #database: EmbeddedDatabase | undefined

  constructor(version: keyof typeof FIXTURES) {
    this.version = version
    const archive = resolve(import.meta.dirname, `../fixtures/data-${version}.tgz`)
    execFileSync('tar', ['-xzf', archive, '-C', this.dir])
  }

  /** The API key that the first start of that version showed. */
  get key(): string {
    return FIXTURES[this.version].key
  }

  /** Shortly after that version was stopped. */
  get stoppedAt(): number {
    return FIXTURES[this.version].at
  }

  async start(): Promise<void> {
    // The files are those of the engine that Isthmus fetches: a mongod on PATH would refuse them.
    const path = process.env.PATH
    process.env.PATH = ''
    try {
      this.#database = new EmbeddedDatabase({ dataDir: this.dir, cacheDir: ENGINE_CACHE, log: silentLog })
      await this.#database.start()
    } finally {
      process.env.PATH = path
    }
  }

  /** Opens the store as a start of the current server does: migrations, indexes, check of the key. */
  openStore(instance: string): Promise<Store> {
    return openStore({
      uri: this.#database?.uri ?? '',
      databaseName: 'isthmus',
      instance,
      retention: { eventDays: 14, operationDays: 30 },
      secretBox: createSecretBox(readFileSync(join(this.dir, 'server.key'), 'utf8').trim(), systemRandom),
      clock: createManualClock(this.stoppedAt),
      random: systemRandom,
      log: silentLog,
    })
  }

  async stop(): Promise<void> {
    await this.#database?.stop()
    rmSync(this.dir, { recursive: true, force: true })
  }
}
