import { AppError } from '../../base/index.ts'
import type { SecretBox } from '../../security/index.ts'
import { isDuplicate } from '../mongo/failure.ts'
import type { Db, Document_ } from '../mongo/mongoose.ts'

const ID = 'secretKey'

/**
 * Checks that the key of this server is the one that the credentials in the database were sealed with. With another key
 * no CPE could log in, and the first ones to try would look like impostors. AppError `conflict` at the start prevents
 * that.
 */
export async function checkSecretKey(db: Db, box: SecretBox): Promise<void> {
  const settings = db.collection<Document_>('settings')
  const known = await settings.findOne({ _id: ID })
  const sealed = known === null ? await anySealed(db) : { text: String(known.sealed), owner: ID }
  if (sealed !== undefined && !opens(box, sealed.text, sealed.owner))
    throw new AppError(
      'conflict',
      `the credentials in database ${db.databaseName} were sealed with another secret key; ` +
        'give that one with --secret-key, or the data folder that holds it as server.key with --data-dir',
    )
  // Of several first starts at once with different keys all but one are refused at their next look.
  if (known === null) {
    try {
      await settings.updateOne({ _id: ID }, { $setOnInsert: { sealed: box.seal(ID, ID) } }, { upsert: true })
    } catch (error) {
      if (!isDuplicate(error)) throw error
    }
    await checkSecretKey(db, box)
  }
}

/** A sealed text of a database from before the check was kept. */
async function anySealed(db: Db): Promise<{ text: string; owner: string } | undefined> {
  const document = await db.collection<Document_>('credentials').findOne({})
  for (const part of ['current', 'pending', 'connectionRequest']) {
    const login = document?.[part] as { password?: unknown } | undefined
    if (document !== null && typeof login?.password === 'string') return { text: login.password, owner: document._id }
  }
  return undefined
}

function opens(box: SecretBox, sealed: string, owner: string): boolean {
  try {
    box.open(sealed, owner)
    return true
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}
