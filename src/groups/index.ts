/** Floor 5: groups of devices, their selectors, and counts over their devices. */
export { GroupCounts } from './counts.ts'
export type { Counted } from './fresh-counts.ts'
export { Groups } from './groups.ts'
