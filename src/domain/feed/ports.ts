import type { DeviceId } from '../id.ts'
import type { EventType, FeedEvent, NewEvent } from './event.ts'

/** The feed. Events are appended by commits; here they are read. */
export interface EventLog {
  append(events: NewEvent[]): Promise<void>
  /** Events after an id, oldest first; undefined: the newest `limit`. */
  since(id: string | undefined, limit: number): Promise<FeedEvent[]>
  /** Events of one device after an id, oldest first; undefined: its newest `limit`. */
  ofDevice(deviceId: DeviceId, after: string | undefined, limit: number): Promise<FeedEvent[]>
  /** Events of some types after an id, oldest first. */
  ofTypes(types: readonly EventType[], after: string, limit: number): Promise<FeedEvent[]>
  /** Called after each commit of this process with what it appended; the returned function unsubscribes. */
  onAppended(listener: (events: FeedEvent[]) => void): () => void
}

/** Publishes to listeners in this process. An error of a listener is logged; the other listeners are still called. */
export interface EventBus {
  publish(events: FeedEvent[]): void
  subscribe(listener: (event: FeedEvent) => void): () => void
}
