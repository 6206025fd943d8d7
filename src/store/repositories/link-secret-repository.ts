import { createHash, timingSafeEqual } from 'node:crypto'
import { AppError, defined, isConflict, type Random, randomToken } from '../../base/index.ts'
import type { DeviceId, LinkSecretProof, LinkSecrets } from '../../domain/index.ts'
import type { SecretBox } from '../../security/index.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import type { BulkOperation, Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import { createGroupRead, type GroupRead } from '../reads/group-read.ts'

/** 128 bits, 22 characters in base64url. */
const SECRET_BYTES = 16
const MAX_TRIES = 5

/** A secret as it is stored: sealed, and as the digest that a link is compared with. */
interface Stored {
  sealed: string
  digest: string
}

/**
 * Secrets of WebSocket paths, one document per device. `current` was used by the device's Agent, `pending` was made and
 * not used yet. The secrets are sealed under the server's key; a link is compared by SHA-256 of what it shows.
 */
export class LinkSecretRepository implements LinkSecrets {
  readonly #secrets: Collection
  readonly #commit: GroupCommit
  readonly #byDevice: GroupRead
  readonly #byCurrent: GroupRead
  readonly #byPending: GroupRead
  readonly #box: SecretBox
  readonly #random: Random
  readonly #now: () => number

  constructor(connection: Connection, commit: GroupCommit, box: SecretBox, random: Random, now: () => number) {
    this.#commit = commit
    this.#secrets = connection.collection<Document_>('linkSecrets')
    this.#byDevice = createGroupRead(this.#secrets)
    this.#byCurrent = createGroupRead(this.#secrets, 'current.digest')
    this.#byPending = createGroupRead(this.#secrets, 'pending.digest')
    this.#box = box
    this.#random = random
    this.#now = now
  }

  ensure(deviceId: DeviceId): Promise<string> {
    return this.#make(deviceId, (known) => part(known, 'pending') ?? part(known, 'current'))
  }

  renew(deviceId: DeviceId): Promise<string> {
    return this.#make(deviceId, (known) => part(known, 'pending'))
  }

  demand(deviceId: DeviceId): Promise<string> {
    return this.#make(deviceId, (known) => part(known, 'pending') ?? part(known, 'current'), { demanded: true })
  }

  async prove(deviceId: DeviceId, secret: string | undefined): Promise<LinkSecretProof> {
    const known = await this.#byDevice.get(deviceId)
    const current = part(known, 'current')
    if (fits(current, secret)) return 'right'
    if (fits(part(known, 'pending'), secret)) return 'unused'
    return current === undefined && known?.demanded !== true ? 'notRequired' : 'required'
  }

  async ownerOf(secret: string): Promise<DeviceId | undefined> {
    const digest = digestOf(secret)
    const [byCurrent, byPending] = await Promise.all([this.#byCurrent.get(digest), this.#byPending.get(digest)])
    // Ids in the collection are those of devices.
    return (byCurrent ?? byPending)?._id as DeviceId | undefined
  }

  async used(deviceId: DeviceId, secret: string): Promise<void> {
    await this.#change(deviceId, (known) => {
      const pending = part(known, 'pending')
      if (!fits(pending, secret)) return undefined
      return { $set: { current: pending }, $unset: { pending: '' } }
    })
  }

  async release(deviceId: DeviceId): Promise<void> {
    await this.#change(deviceId, (known) => {
      const current = part(known, 'current')
      if (current === undefined && known?.demanded !== true) return undefined
      // A pending secret may be on the device already; then the current one is not.
      const pending = part(known, 'pending') ?? current
      const $set = pending === undefined ? undefined : { pending }
      return defined({ $set, $unset: { current: '', demanded: '' } })
    })
  }

  async delete(deviceId: DeviceId): Promise<void> {
    await this.#secrets.deleteOne({ _id: deviceId })
  }

  /**
   * The secret that `kept` finds, or a new pending one; `demanded`: links must show it from now on. Of several calls at
   * once all get the same.
   */
  async #make(
    deviceId: DeviceId,
    kept: (known: Document_ | undefined) => Stored | undefined,
    demand: { demanded?: true } = {},
  ): Promise<string> {
    const secret = randomToken(this.#random, SECRET_BYTES)
    const pending: Stored = { sealed: this.#box.seal(secret, deviceId), digest: digestOf(secret) }
    const document = await this.#change(
      deviceId,
      (known) => {
        const isDemanded = demand.demanded === undefined || known?.demanded === true
        if (kept(known) === undefined) return { $set: { pending, ...demand } }
        return isDemanded ? undefined : { $set: demand }
      },
      { pending, ...demand },
    )
    const stored = kept(document)
    if (stored === undefined)
      throw new AppError(
        'conflict',
        `the link secret of ${deviceId} is being changed by others; repeat the request in some seconds`,
      )
    return this.#box.open(stored.sealed, deviceId)
  }

  /**
   * Applies a change to the document as it is, again when it changed meanwhile; answers the document after it.
   * `created` is the document of a device that has none.
   */
  async #change(
    deviceId: DeviceId,
    change: (known: Document_ | undefined) => Record<string, unknown> | undefined,
    created?: { pending: Stored; demanded?: true },
  ): Promise<Document_ | undefined> {
    const updatedAt = this.#now()
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const known = await this.#byDevice.get(deviceId)
      const update = change(known)
      if (update === undefined) return known
      if (known === undefined) {
        if (created === undefined) return undefined
        const document = { _id: deviceId, revision: 1, updatedAt, ...created }
        if (await this.#write({ insertOne: { document } })) return document
        continue
      }
      const revision = Number(known.revision)
      const $set = { ...(update.$set as object), updatedAt, revision: revision + 1 }
      await this.#write({ updateOne: { filter: { _id: deviceId, revision }, update: { ...update, $set } } })
    }
    return this.#byDevice.get(deviceId)
  }

  /**
   * Commits a write in the next flush. False: another change overtook it, and it did nothing.
   */
  async #write(operation: BulkOperation): Promise<boolean> {
    const guarded = 'updateOne' in operation ? { mustMatch: 'the link secret has changed meanwhile' } : {}
    try {
      await this.#commit.commit({ writes: [{ collection: 'linkSecrets', operation, ...guarded }] })
      return true
    } catch (error) {
      if (!isConflict(error)) throw error
      return false
    }
  }
}

function part(document: Document_ | undefined, name: 'current' | 'pending'): Stored | undefined {
  return document?.[name] as Stored | undefined
}

function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

/** Compares in constant time. */
function fits(stored: Stored | undefined, secret: string | undefined): boolean {
  if (stored === undefined || secret === undefined) return false
  const { digest } = stored
  const [a, b] = [Buffer.from(digest), Buffer.from(digestOf(secret))]
  return a.length === b.length && timingSafeEqual(a, b)
}
