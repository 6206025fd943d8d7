import { AppError } from '../../base/index.ts'
import { toDocument } from '../mongo/convert.ts'
import { translate } from '../mongo/failure.ts'
import type { Collection, Document_ } from '../mongo/mongoose.ts'

/**
 * Stores a value that counts its revisions: inserts it when no revision is expected, else replaces the one that has it.
 * AppError `conflict` when it exists already, moved on, or a unique field is taken.
 */
export async function putRevised(
  collection: Collection,
  value: { id: string },
  expectedRevision: number | undefined,
): Promise<void> {
  const { _id, ...rest } = toDocument(value)
  try {
    if (expectedRevision === undefined) {
      await collection.insertOne({ _id, ...rest } as Document_)
      return
    }
    const { matchedCount } = await collection.replaceOne({ _id, revision: expectedRevision }, rest)
    if (matchedCount === 0) throw new AppError('conflict', 'the object has changed since it was read; read it again')
  } catch (error) {
    throw translate(error)
  }
}
