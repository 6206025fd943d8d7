import type { RouterOs } from '../../routeros/index.ts'
import type { IntendedStep } from './intents.ts'
import { failureOf } from './router-failure.ts'
import { isSame, isSingle, menuOf, type RouterRows } from './router-rows.ts'
import type { Values } from './write-step.ts'

type Intended<K extends IntendedStep['kind']> = Extract<IntendedStep, { kind: K }>

/** Puts a router back to the state before some steps, by what it shows now: a step that it does not have is no work. */
export class Undo {
  readonly #router: RouterOs
  readonly #rows: RouterRows

  constructor(router: RouterOs, rows: RouterRows) {
    this.#router = router
    this.#rows = rows
  }

  /**
   * Undoes steps in reverse order and resolves with a sentence for each that could not be undone. Rejects with
   * RouterOsError when the router does not answer: then it may be called again.
   */
  async all(steps: readonly IntendedStep[]): Promise<string[]> {
    const left: string[] = []
    for (const step of [...steps].reverse()) {
      const problem = await this.#one(step)
      if (problem !== undefined) left.push(problem)
    }
    return left
  }

  async #one(step: IntendedStep): Promise<string | undefined> {
    try {
      if (step.kind === 'set') return await this.#set(step)
      return step.kind === 'add' ? await this.#added(step) : await this.#removed(step)
    } catch (error) {
      const failure = failureOf(error, 'set')
      // 7003: no answer. Any other error is the router's word that it stays as it is.
      if (failure.code === 7003) throw error
      return `${step.path} could not be undone: ${failure.message}`
    }
  }

  async #set({ menu, match, before, after, path, hasSecret }: Intended<'set'>): Promise<string | undefined> {
    const names = Object.keys(after)
    const renamed = { ...match, properties: changed(match.properties, after) }
    const row = (await this.#rows.find(menu, renamed, names)) ?? (await this.#rows.find(menu, match, names))
    if (row === undefined) return `${path} could not be undone: its row is not there any more`
    const others = names.filter((name) => !isSame(menu, name, row[name], before[name] ?? ''))
    const foreign = others.filter((name) => !isSame(menu, name, row[name], after[name] ?? ''))
    const id = isSingle(menu) ? undefined : (row['.id'] ?? '')
    const values: Record<string, string> = {}
    for (const name of others) {
      if (foreign.includes(name)) continue
      const value = before[name] ?? null
      if (value !== null) values[name] = value
      else if (Object.hasOwn(menuOf(menu).verbs, 'unset') && id !== undefined)
        await this.#router.command(this.#rows.words.unset(menu, id, name))
      else values[name] = ''
    }
    if (Object.keys(values).length > 0) await this.#router.command(this.#rows.words.set(menu, id, values))
    if (hasSecret) return `the secret of ${path} was set and could not be undone: its value before is not known`
    return foreign.length === 0 ? undefined : `${path} was changed by others meanwhile and is left as it is`
  }

  async #added({ menu, values, existing }: Intended<'add'>): Promise<string | undefined> {
    for (const id of await sameRows(this.#rows, menu, values))
      if (!existing.includes(id)) await this.#router.command(this.#rows.words.remove(menu, id))
    return undefined
  }

  async #removed({ menu, match, before, next }: Intended<'remove'>): Promise<string | undefined> {
    if ((await this.#rows.find(menu, match, [])) !== undefined) return undefined
    const isThere = next !== undefined && (await this.#rows.all(menu, [])).some((row) => row['.id'] === next)
    await this.#router.command(this.#rows.words.add(menu, before, isThere ? next : undefined))
    return undefined
  }
}

/** Resolves with the `.id` of the rows that have these values; secrets are not compared. */
export async function sameRows(rows: RouterRows, menu: IntendedStep['menu'], values: Values): Promise<string[]> {
  const { properties } = menuOf(menu)
  const names = Object.keys(values).filter((name) => properties[name]?.secret === false)
  const found = await rows.all(menu, names)
  return found.flatMap((row) =>
    row['.id'] !== undefined && names.every((name) => isSame(menu, name, row[name] ?? absent(name), values[name]))
      ? [row['.id']]
      : [],
  )
}

/** The value that a property has for a router that leaves it out. */
function absent(name: string): string {
  return name === 'disabled' ? 'no' : ''
}

function changed(properties: Values, after: Readonly<Record<string, string | null>>): Values {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, after[name] ?? value]))
}
