import { isDeepStrictEqual } from 'node:util'
import { isConflict, type Random, randomToken } from '../../base/index.ts'
import type { CredentialStore, CwmpCredential, CwmpLogin, DeviceId } from '../../domain/index.ts'
import type { SecretBox } from '../../security/index.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import type { Write } from '../commit/write-set.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import type { GroupRead } from '../reads/group-read.ts'
import { createGroupRead } from '../reads/group-read.ts'

const LOGINS = ['current', 'pending', 'connectionRequest'] as const
/** Random bytes of a version: two writers never choose the same one. */
const VERSION_BYTES = 9
const LOGIN_LISTS = ['earlier', 'replaced'] as const

/** A credential as a document. */
type Fields = Record<string, unknown> & { version: string }

/** CWMP credentials, their secrets sealed under the server's key and bound to the device. */
export class CredentialRepository implements CredentialStore {
  readonly #credentials: Collection
  readonly #byId: GroupRead
  readonly #commit: GroupCommit
  readonly #box: SecretBox
  readonly #random: Random
  /** The version of each credential that was read or written, of which the store may have another one by now. */
  readonly #versions = new WeakMap<CwmpCredential, string>()

  constructor(connection: Connection, commit: GroupCommit, box: SecretBox, random: Random) {
    this.#credentials = connection.collection<Document_>('credentials')
    // A CPE connects about once an hour: nearly every session reads the credential, so these reads are grouped like
    // those of records.
    this.#byId = createGroupRead(this.#credentials)
    this.#commit = commit
    this.#box = box
    this.#random = random
  }

  async get(deviceId: DeviceId): Promise<CwmpCredential | undefined> {
    const document = await this.#byId.get(deviceId)
    if (document === undefined) return undefined
    const opened = (login: CwmpLogin) => ({ ...login, password: this.#box.open(login.password, deviceId) })
    const credential: CwmpCredential = { deviceId, updatedAt: Number(document.updatedAt) }
    if (document.delivered === true) credential.delivered = true
    if (typeof document.unused === 'number') credential.unused = document.unused
    for (const part of LOGINS) {
      const login = document[part] as CwmpLogin | undefined
      if (login !== undefined) credential[part] = opened(login)
    }
    for (const part of LOGIN_LISTS) {
      const logins = document[part] as CwmpLogin[] | undefined
      if (logins !== undefined) credential[part] = logins.map(opened)
    }
    if (typeof document.version === 'string') this.#versions.set(credential, document.version)
    return credential
  }

  async put(credential: CwmpCredential): Promise<void> {
    const filter = { _id: credential.deviceId }
    const operation = { replaceOne: { filter, replacement: this.#sealed(credential), upsert: true } }
    await this.#write({ collection: 'credentials', operation })
  }

  async replace(known: CwmpCredential | undefined, next: CwmpCredential): Promise<boolean> {
    const fields = this.#sealed(next)
    const write = await this.#replacement(known, next.deviceId, fields)
    try {
      if (write === undefined) return false
      await this.#write(write)
    } catch (error) {
      if (isConflict(error)) return false
      throw error
    }
    this.#versions.set(next, fields.version)
    return true
  }

  /** The write in place of a credential; undefined when another one is stored. */
  async #replacement(known: CwmpCredential | undefined, _id: DeviceId, fields: Fields): Promise<Write | undefined> {
    const collection = 'credentials'
    if (known === undefined) return { collection, operation: { insertOne: { document: { _id, ...fields } } } }
    const version = this.#versions.get(known)
    const mustMatch = 'the credential has changed meanwhile'
    if (version !== undefined)
      return { collection, operation: { replaceOne: { filter: { _id, version }, replacement: fields } }, mustMatch }
    // A document of an earlier release has no version.
    if (!isDeepStrictEqual(await this.get(_id), known)) return undefined
    return { collection, operation: { replaceOne: { filter: { _id }, replacement: fields } }, mustMatch }
  }

  #write(write: Write): Promise<void> {
    return this.#commit.commit({ writes: [write] })
  }

  #sealed(credential: CwmpCredential): Fields {
    const { deviceId } = credential
    const sealed = (login: CwmpLogin) => ({ ...login, password: this.#box.seal(login.password, deviceId) })
    const fields: Fields = {
      updatedAt: credential.updatedAt,
      version: randomToken(this.#random, VERSION_BYTES),
    }
    if (credential.delivered === true) fields.delivered = true
    if (credential.unused !== undefined) fields.unused = credential.unused
    for (const part of LOGINS) {
      const login = credential[part]
      if (login !== undefined) fields[part] = sealed(login)
    }
    for (const part of LOGIN_LISTS) {
      const logins = credential[part]
      if (logins !== undefined) fields[part] = logins.map(sealed)
    }
    return fields
  }

  async delete(deviceId: DeviceId): Promise<void> {
    await this.#credentials.deleteOne({ _id: deviceId })
  }
}
