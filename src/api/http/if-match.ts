import { isConflict } from '../../base/index.ts'
import { HttpRefusal } from './problem.ts'

/** Attempts of a change without If-Match, when others change the same object at the same time. */
const MAX_TRIES = 8

/**
 * Runs a change against the revision that If-Match names (RFC 9110 13.1.1); `change` does nothing and throws AppError
 * `conflict` when that revision is not the present one any more. Without If-Match, or with `*`, it runs against the
 * present revision, and again after a concurrent change. HttpRefusal 412 when If-Match does not name the present
 * revision.
 */
export async function withIfMatch<T>(
  header: string | undefined,
  currentRevision: () => Promise<number>,
  change: (revision: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const revision = await currentRevision()
    refuseOther(revision, header)
    try {
      return await change(revision)
    } catch (error) {
      const overtaken = isConflict(error) && (await currentRevision()) !== revision
      if (!overtaken || attempt >= MAX_TRIES) throw error
    }
  }
}

/**
 * Runs a deletion when If-Match names the present revision, or does not stand there: HttpRefusal 412 else. A change that
 * comes between the two is deleted as well; that is the same as one that comes right before a deletion without If-Match.
 */
export async function deleteIfMatch<T>(
  header: string | undefined,
  currentRevision: () => Promise<number>,
  remove: () => Promise<T>,
): Promise<T> {
  // Each deletion reads the object itself: without If-Match another read is for nothing.
  if (header !== undefined) refuseOther(await currentRevision(), header)
  return remove()
}

function refuseOther(revision: number, header: string | undefined): void {
  if (tagsOf(header)?.includes(`"${revision}"`) === false)
    throw new HttpRefusal(
      412,
      `If-Match names another revision than "${revision}", which is the present one; read it again`,
      { etag: `"${revision}"` },
    )
}

/** The entity tags of an If-Match, weak ones as strong; undefined for any revision. */
function tagsOf(header: string | undefined): string[] | undefined {
  if (header === undefined || header.trim() === '*') return undefined
  return header.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
}
