import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, errorText, randomToken, systemRandom } from '../../base/index.ts'
import { PRIVATE_FILE } from './private.ts'

const USER = 'isthmus'

/**
 * The login that the embedded engine asks for. Its password is made at first start and kept in a file for its owner
 * alone.
 */
export class EngineLogin {
  readonly #file: string
  #password = ''

  constructor(folder: string) {
    this.#file = join(folder, 'engine.password')
  }

  /** Reads the kept password. False when there is none. */
  read(): boolean {
    try {
      this.#password = readFileSync(this.#file, 'utf8').trim()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      this.#password = ''
    }
    return this.#password !== ''
  }

  /** Makes a password and keeps it. */
  make(): void {
    this.#password = randomToken(systemRandom, 24)
    // Of a file that is there its mode would stay.
    rmSync(this.#file, { force: true })
    writeFileSync(this.#file, `${this.#password}\n`, { mode: PRIVATE_FILE })
  }

  /** Gives this login to an engine that asks for none yet. AppError `unavailable` when the engine does not take it. */
  async establish(port: number): Promise<void> {
    const { putUser } = await import('../mongo/mongoose.ts')
    try {
      await putUser(`mongodb://127.0.0.1:${port}/?directConnection=true`, USER, this.#password)
    } catch (cause) {
      const text = `the embedded database does not take its login: ${errorText(cause)}; is there room on its disk?`
      throw new AppError('unavailable', text, { cause })
    }
  }

  /** Returns the connection string with this login. */
  uri(port: number): string {
    const parameters = 'directConnection=true&authSource=admin&authMechanism=SCRAM-SHA-256'
    return `mongodb://${USER}:${encodeURIComponent(this.#password)}@127.0.0.1:${port}/?${parameters}`
  }
}
