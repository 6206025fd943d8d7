import { AppError } from '../../base/index.ts'
import { type Group, parseSelector, type Selector } from '../../device/index.ts'

/** Static members (their records carry the group's id) and, where there is one, what the dynamic selector matches: one indexed query. */
export function groupSelector(group: Pick<Group, 'id' | 'selector'>): Selector {
  const members: Selector = { field: 'group', operator: '==', values: [group.id] }
  return group.selector === undefined ? members : { or: [members, parseSelector(group.selector)] }
}

/** Devices of a group that a further selector also matches. */
export function within(group: Pick<Group, 'id' | 'selector'>, selector: Selector | undefined): Selector {
  const members = groupSelector(group)
  return selector === undefined ? members : { and: [members, selector] }
}

const MAX_NAME = 100
const MAX_DESCRIPTION = 1000

/** Checks what a person may give a group. AppError `invalid` says what does not fit. */
export function checkGroup(group: Pick<Group, 'id' | 'name' | 'description' | 'selector'>): void {
  if (group.name.trim() === '' || group.name.length > MAX_NAME) {
    throw new AppError('invalid', `a group's name has 1 to ${MAX_NAME} characters`)
  }
  if ((group.description?.length ?? 0) > MAX_DESCRIPTION) {
    throw new AppError('invalid', `a group's description has at most ${MAX_DESCRIPTION} characters`)
  }
  if (group.selector === undefined) return
  if (refersTo(parseSelector(group.selector), group.id)) {
    throw new AppError('invalid', 'a selector cannot name the group it belongs to')
  }
}

function refersTo(selector: Selector, groupId: string): boolean {
  if ('and' in selector) return selector.and.some((part) => refersTo(part, groupId))
  if ('or' in selector) return selector.or.some((part) => refersTo(part, groupId))
  return selector.field === 'group' && selector.values.includes(groupId)
}
