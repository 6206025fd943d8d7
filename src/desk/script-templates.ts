import { defined } from '../base/index.ts'
import { SCRIPT_TEMPLATES, type ScriptTemplate } from '../router-files/index.ts'

/** Returns the templates of scripts as people see them, without their steps. */
export function listScriptTemplates() {
  return SCRIPT_TEMPLATES.map(shown)
}

function shown({ name, title, description, parameters }: ScriptTemplate) {
  return {
    name,
    title,
    description,
    parameters: Object.entries(parameters).map(([parameter, { kind, sentence, initial, optional, secret }]) => ({
      name: parameter,
      type: kind.type,
      description: sentence,
      takes: kind.expects,
      required: initial === undefined && optional !== true,
      ...defined({ default: initial, choices: kind.choices, maxItems: kind.maxItems, secret }),
    })),
  }
}
