import { AppError } from '../base/index.ts'
import { type Group, type GroupStore, parseSelector, type Selector, type SelectorTerm } from '../domain/index.ts'

/** Groups with a selector: each is held against each device that is shown. */
export const MAX_SELECTORS = 1000
/** Groups that one selector names. */
const MAX_NAMED = 64

/** Selectors that name groups: resolves them, and refuses those that would nest. */
export class GroupSelectors {
  readonly #groups: GroupStore

  constructor(groups: GroupStore) {
    this.#groups = groups
  }

  /**
   * The same query with the groups that it names resolved, so that their selectors count. AppError `invalid` for a
   * group that does not exist.
   */
  async resolve(selector: Selector): Promise<Selector> {
    if ('and' in selector) return { and: await Promise.all(selector.and.map((part) => this.resolve(part))) }
    if ('or' in selector) return { or: await Promise.all(selector.or.map((part) => this.resolve(part))) }
    if ('not' in selector) return { not: await this.resolve(selector.not) }
    if (selector.field !== 'groups') return selector
    const found = await this.#named(selector)
    if (found.every((group) => group.selector === undefined)) return selector
    const fits: Selector = { or: found.map(selectorOf) }
    return selector.operator === '==' || selector.operator === 'in' ? fits : { not: fits }
  }

  /**
   * Checks the selector of a new group, or of `present`. Groups do not contain groups with a selector: the devices of
   * such a selector would change with the other group. AppError `invalid` for a text that is no selector and for one
   * that names such a group, `conflict` for too many selectors, and for a group that another selector names already.
   */
  async check(selector: string | undefined, present: Group | undefined): Promise<void> {
    if (selector === undefined) return
    for (const term of groupTerms(parseSelector(selector)))
      for (const group of await this.#named(term))
        if (group.selector !== undefined || group.id === present?.id)
          throw new AppError(
            'invalid',
            `selector: group ${group.id} has a selector of its own; write that instead: ${group.selector ?? selector}`,
          )
    if (present?.selector !== undefined) return
    const dynamic = await this.#groups.withSelector(MAX_SELECTORS)
    if (dynamic.length >= MAX_SELECTORS)
      throw new AppError('conflict', `${MAX_SELECTORS} groups have a selector already; use tags or static members`)
    const user = present === undefined ? undefined : dynamic.find(({ selector: text }) => text?.includes(present.id))
    if (user !== undefined)
      throw new AppError(
        'conflict',
        `group ${user.id} names this group in its selector, so this one cannot have a selector; change group ${user.id} first`,
      )
  }

  /** The groups that a term names. AppError `invalid` when one of them does not exist. */
  async #named({ values }: SelectorTerm): Promise<Group[]> {
    if (values.length > MAX_NAMED) throw new AppError('invalid', `selector: at most ${MAX_NAMED} groups can be named`)
    return Promise.all(
      values.map(async (value) => {
        const group = await this.#groups.get(String(value))
        if (group === undefined) throw new AppError('invalid', `selector: there is no group ${JSON.stringify(value)}`)
        return group
      }),
    )
  }
}

/** The devices of a group as a query: static members, and those that its selector matches. */
export function selectorOf(group: Group): Selector {
  const own: Selector = { field: 'groups', operator: '==', values: [group.id] }
  return group.selector === undefined ? own : { or: [own, parseSelector(group.selector)] }
}

/** A stored selector; undefined when this version cannot read it: it then selects nothing. */
export function readable(selector: string): Selector | undefined {
  try {
    return parseSelector(selector)
  } catch (error) {
    if (error instanceof AppError) return undefined
    throw error
  }
}

/** The terms of a selector that name groups. */
function groupTerms(selector: Selector): SelectorTerm[] {
  if ('and' in selector) return selector.and.flatMap(groupTerms)
  if ('or' in selector) return selector.or.flatMap(groupTerms)
  if ('not' in selector) return groupTerms(selector.not)
  return selector.field === 'groups' ? [selector] : []
}
