/** Floor 3: events inside the process. */
export * from './event-bus.ts'
export * from './feed-follower.ts'
