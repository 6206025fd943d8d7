import type { OptionRow, ValuesOf } from './option-row.ts'

/** Every option of `isthmus demo`. */
export const DEMO_OPTIONS = [
  {
    key: 'devices',
    flag: '--devices',
    group: 'Demo',
    type: 'int',
    min: 4,
    max: 4990,
    sentence: 'Number of devices beside ten MikroTik routers; default: as many as last time, at first 200.',
  },
  {
    key: 'once',
    flag: '--once',
    group: 'Demo',
    type: 'switch',
    sentence: 'End when the migration is finished; exit code 0 when every device is where it should be.',
  },
  {
    key: 'dataDir',
    flag: '--data-dir',
    group: 'Demo',
    type: 'string',
    default: 'data/demo',
    sentence: 'Folder for everything that the demo keeps.',
  },
] as const satisfies readonly OptionRow[]

/** The values of the options of `isthmus demo`. */
export type DemoOptions = ValuesOf<typeof DEMO_OPTIONS>
