import { ProtocolError } from '../../base/index.ts'
import { objectsOn, parsePath, type Segment } from '../../datamodel/index.ts'
import { isPath } from './agent-texts.ts'

/**
 * The paths that a request asks for. An answer names each of them, at times in another form; values at any other place
 * are of no meaning, because the Agent was not asked for them.
 */
export class AskedPaths {
  readonly #paths: Set<string>
  readonly #byForm: Map<string, string>
  /** The places of paths that may mean several objects, by the path. */
  readonly #places: [string, RegExp][] = []
  readonly #followsReference: boolean

  constructor(paths: readonly string[]) {
    this.#paths = new Set(paths)
    this.#byForm = new Map(paths.map((path) => [formOf(path), path]))
    let followsReference = false
    for (const path of this.#paths) {
      const segments = /[*[+]/.test(path) ? segmentsOf(path) : []
      if (segments.some(({ kind }) => kind === 'follow')) followsReference = true
      else if (segments.length > 0) this.#places.push([path, placeOf(segments, path.endsWith('.'))])
    }
    this.#followsReference = followsReference
  }

  /**
   * Returns the asked path that a result names, also without its last dot, with other blanks, or with the row that a
   * search found; undefined when it names none.
   */
  named(text: string): string | undefined {
    if (this.#paths.has(text)) return text
    const path = this.#byForm.get(formOf(text))
    if (path !== undefined || !isPath(text)) return path
    return this.#places.find(([asked, place]) => asked.endsWith('.') === text.endsWith('.') && place.test(text))?.[0]
  }

  /** Returns true for a valid path at or below an asked one. Only the Agent knows where a reference leads. */
  covers(path: string): boolean {
    if (!isPath(path)) return false
    if (this.#followsReference || this.#paths.has(path)) return true
    if (objectsOn(path).some((object) => this.#paths.has(object))) return true
    return this.#places.some(([, place]) => place.test(path))
  }
}

/** The form of a path in which Agents differ: blanks, and the last dot. */
function formOf(path: string): string {
  return path.replaceAll(' ', '').replace(/\.$/, '')
}

/** Returns the segments of a path; none of one that cannot be read, which then means itself alone. */
function segmentsOf(path: string): Segment[] {
  try {
    return parsePath(path).segments
  } catch (error) {
    if (error instanceof ProtocolError) return []
    throw error
  }
}

/** Returns an expression for all places that a search path may mean. */
function placeOf(segments: readonly Segment[], isObject: boolean): RegExp {
  const parts = segments.map((segment) => {
    if (segment.kind === 'name') return segment.name
    return segment.kind === 'instance' ? String(segment.instance) : '\\d+'
  })
  return new RegExp(`^${parts.join('\\.')}${isObject ? '\\.' : '$'}`)
}
