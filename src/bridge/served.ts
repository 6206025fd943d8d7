import { eventsAt } from './changes/router-events.ts'
import { commandObjects, commandsAt } from './commands/router-commands.ts'
import type { Served } from './model/supported-objects.ts'
import { growsAt, writtenAt } from './objects/all.ts'

/** The code of the bridge for writes and commands, as the supported model shows it; `events` are of the caller. */
export function servedBy(events: (schema: string) => readonly string[]): Served {
  return {
    commands: commandsAt,
    events,
    vendorEvents: eventsAt,
    writes: writtenAt,
    grows: growsAt,
    objects: commandObjects,
  }
}
