import type { CredentialStore, CwmpCredential, CwmpLogin, DeviceId } from '../../domain/index.ts'
import type { SecretBox } from '../../security/index.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import type { GroupRead } from '../reads/group-read.ts'
import { createGroupRead } from '../reads/group-read.ts'

const LOGINS = ['current', 'pending', 'connectionRequest'] as const
const LOGIN_LISTS = ['earlier', 'replaced'] as const

/** CWMP credentials, their secrets sealed under the server's key and bound to the device. */
export class CredentialRepository implements CredentialStore {
  readonly #credentials: Collection
  readonly #byId: GroupRead
  readonly #commit: GroupCommit
  readonly #box: SecretBox

  constructor(connection: Connection, commit: GroupCommit, box: SecretBox) {
    this.#credentials = connection.collection<Document_>('credentials')
    // A CPE connects about once an hour: nearly every session reads the credential, so these reads are grouped like
    // those of records.
    this.#byId = createGroupRead(this.#credentials)
    this.#commit = commit
    this.#box = box
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
    return credential
  }

  async put(credential: CwmpCredential): Promise<void> {
    const { deviceId } = credential
    const sealed = (login: CwmpLogin) => ({ ...login, password: this.#box.seal(login.password, deviceId) })
    const fields: Record<string, unknown> = { updatedAt: credential.updatedAt }
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
    const operation = { replaceOne: { filter: { _id: deviceId }, replacement: fields, upsert: true } }
    await this.#commit.commit({ writes: [{ collection: 'credentials', operation }] })
  }

  async delete(deviceId: DeviceId): Promise<void> {
    await this.#credentials.deleteOne({ _id: deviceId })
  }
}
