import type { ScriptTemplate } from '../template.ts'
import { ACCESS_TEMPLATES } from './access.ts'
import { SYSTEM_TEMPLATES } from './system.ts'

/** All templates of scripts, by which alone a router is given scripts. */
export const SCRIPT_TEMPLATES: readonly ScriptTemplate[] = [...SYSTEM_TEMPLATES, ...ACCESS_TEMPLATES]

/** Returns the template with a name; undefined where there is none. */
export function templateOf(name: string): ScriptTemplate | undefined {
  return SCRIPT_TEMPLATES.find((template) => template.name === name)
}
