import { defined } from '../../base/index.ts'
import type { Page } from '../../domain/index.ts'
import type { AuthorityKeys, CertificateStore, IssuedCertificate } from '../../pki/index.ts'
import type { SecretBox } from '../../security/index.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import { fromDocument, toDocument } from '../mongo/convert.ts'
import { updateEach } from '../mongo/each.ts'
import { isDuplicate } from '../mongo/failure.ts'
import type { Collection, Connection, Document_, Filter, UpdateFilter } from '../mongo/mongoose.ts'
import { page } from '../reads/paging.ts'

/** The document of the settings that has the keys of the authority; its key is sealed for this owner. */
const AUTHORITY = 'certificateAuthority'
/** Certificates of one name that are looked at: one is issued in two months. */
const MAX_OF_NAME = 1000
/** Stored for a certificate that was not revoked: a condition on an absent field has no index on one of the engines. */
const NOT_REVOKED = 0

/** Certificates that were issued; the key of the authority is sealed under the server's key. */
export class CertificateRepository implements CertificateStore {
  readonly #certificates: Collection
  readonly #settings: Collection
  readonly #commit: GroupCommit
  readonly #box: SecretBox

  constructor(connection: Connection, commit: GroupCommit, box: SecretBox) {
    this.#certificates = connection.collection<Document_>('certificates')
    this.#settings = connection.collection<Document_>('settings')
    this.#commit = commit
    this.#box = box
  }

  async authority(): Promise<AuthorityKeys | undefined> {
    const document = await this.#settings.findOne({ _id: AUTHORITY })
    if (document === null) return undefined
    const { certificate, key, createdAt } = document
    return {
      certificate: String(certificate),
      key: this.#box.open(String(key), AUTHORITY),
      createdAt: Number(createdAt),
    }
  }

  async ensureAuthority({ certificate, key, createdAt }: AuthorityKeys): Promise<AuthorityKeys> {
    const sealed = { certificate, key: this.#box.seal(key, AUTHORITY), createdAt }
    try {
      await this.#settings.updateOne({ _id: AUTHORITY }, { $setOnInsert: sealed } as UpdateFilter, { upsert: true })
    } catch (error) {
      if (!isDuplicate(error)) throw error
    }
    return (await this.authority()) ?? { certificate, key, createdAt }
  }

  async add(certificates: readonly IssuedCertificate[]): Promise<void> {
    if (certificates.length === 0) return
    const writes = certificates.map((certificate) => {
      const document = { ...toDocument(certificate), revokedAt: certificate.revokedAt ?? NOT_REVOKED }
      return { collection: 'certificates' as const, operation: { insertOne: { document } } }
    })
    await this.#commit.commit({ writes })
  }

  async get(id: string): Promise<IssuedCertificate | undefined> {
    const document = await this.#certificates.findOne({ _id: id })
    return document === null ? undefined : toCertificate(document)
  }

  async find(ids: readonly string[]): Promise<IssuedCertificate[]> {
    return (await this.#certificates.find({ _id: { $in: [...ids] } }).toArray()).map(toCertificate)
  }

  list({ owner, ...query }: { owner?: string; limit: number; cursor?: string }): Promise<Page<IssuedCertificate>> {
    return page(this.#certificates, defined({ owner }), { field: '_id', descending: false }, query, toCertificate)
  }

  async ofName(name: string): Promise<IssuedCertificate[]> {
    return (await this.#certificates.find({ names: name }).limit(MAX_OF_NAME).toArray()).map(toCertificate)
  }

  async revoke(
    which: { id: string } | { owner: string } | { name: string },
    reason: string,
    at: number,
  ): Promise<void> {
    const of: Filter =
      'id' in which ? { _id: which.id } : 'owner' in which ? { owner: which.owner } : { names: which.name }
    await updateEach(this.#certificates, { ...of, revokedAt: NOT_REVOKED }, {
      $set: { revokedAt: at, reason },
    } as UpdateFilter)
  }
}

function toCertificate(document: Document_): IssuedCertificate {
  const { revokedAt, ...certificate } = fromDocument<IssuedCertificate>(document)
  return revokedAt === undefined || revokedAt === NOT_REVOKED ? certificate : { ...certificate, revokedAt }
}
