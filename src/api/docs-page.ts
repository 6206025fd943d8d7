/**
 * The browsable page over openapi.json, from this server alone. The page itself tells nothing: the description is fetched with an API key,
 * which comes after the hash of the address (`#key=isthmus_...`, never sent to a server) or from the field, and stays in the browser's tab.
 */
export const DOCS_HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Isthmus API</title>
<link rel="stylesheet" href="docs.css">
</head>
<body>
<header>
<h1>Isthmus API</h1>
<p id="about"></p>
<div id="ask" hidden><input id="key" type="password" placeholder="API key: isthmus_..." aria-label="API key"><button id="open">Show</button></div>
<input id="filter" type="search" placeholder="Filter: path or word" aria-label="Filter" hidden>
</header>
<main id="routes"></main>
<script src="docs.js"></script>
</body>
</html>`

export const DOCS_CSS = `
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem;color:#1c2733}
h1{margin:0}
h2{margin-top:2rem;border-bottom:1px solid #ccd5de}
input{width:100%;padding:.5rem;font:inherit;box-sizing:border-box}
#ask{display:flex;gap:.5rem}
#ask[hidden]{display:none}
button{font:inherit;padding:.5rem 1rem}
details{border:1px solid #ccd5de;border-radius:6px;margin:.4rem 0;padding:.4rem .7rem}
summary{cursor:pointer}
code,pre{font:13px/1.4 ui-monospace,monospace}
pre{background:#f3f6f9;padding:.6rem;overflow:auto;border-radius:6px}
.m{display:inline-block;width:4.2rem;font-weight:700}
.get{color:#0a6b3d}
.post{color:#8a4b00}
.delete{color:#a3122a}
.patch,.put{color:#3a4fb0}
table{border-collapse:collapse;width:100%}
td{padding:.15rem .5rem .15rem 0;vertical-align:top}
`

export const DOCS_JS = `
'use strict'
const byId = (id) => document.getElementById(id)
const text = (tag, value, cls) => {
  const element = document.createElement(tag)
  element.textContent = value
  if (cls) element.className = cls
  return element
}
const given = new URLSearchParams(location.hash.slice(1)).get('key')
if (given) {
  sessionStorage.setItem('key', given)
  history.replaceState(null, '', location.pathname)
}

function parameters(list) {
  const table = document.createElement('table')
  for (const p of list) {
    const row = document.createElement('tr')
    const about = p.description || (p.schema && p.schema.description) || ''
    row.append(text('td', p.in), text('td', p.name + (p.required ? ' *' : '')), text('td', about))
    table.append(row)
  }
  return table
}

function route(method, path, op, resolve) {
  const details = document.createElement('details')
  details.dataset.text = (method + ' ' + path + ' ' + op.summary).toLowerCase()
  const summary = document.createElement('summary')
  summary.append(text('span', method.toUpperCase(), 'm ' + method), text('code', path), '  ' + op.summary)
  details.append(summary)
  if (op.description) details.append(text('p', op.description))
  if (op.parameters) details.append(parameters(op.parameters))
  const body = op.requestBody && op.requestBody.content['application/json']
  if (body) details.append(text('h4', 'Body'), text('pre', JSON.stringify(resolve(body.schema), null, 1)))
  for (const [status, answer] of Object.entries(op.responses)) details.append(text('p', status + ': ' + answer.description))
  return details
}

function show(doc) {
  byId('about').textContent =
    doc.info.description + ' Version ' + doc.info.version + '. Send your key as Authorization: Bearer isthmus_...'
  const resolve = (schema) =>
    schema && schema.$ref ? doc.components.schemas[schema.$ref.split('/').pop()] : schema
  const sections = new Map()
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const [method, op] of Object.entries(item)) {
      const tag = (op.tags || ['Other'])[0]
      if (!sections.has(tag)) {
        const section = document.createElement('section')
        section.append(text('h2', tag))
        sections.set(tag, section)
      }
      sections.get(tag).append(route(method, path, op, resolve))
    }
  }
  byId('routes').replaceChildren(...sections.values())
  byId('ask').hidden = true
  byId('filter').hidden = false
}

async function load() {
  const key = sessionStorage.getItem('key')
  if (!key) return ask('Give an API key to see the description.')
  byId('routes').textContent = 'Loading'
  const answer = await fetch('../openapi.json', { headers: { authorization: 'Bearer ' + key } })
  if (answer.status === 401) return ask('This key is not known or was revoked.')
  if (!answer.ok) throw new Error('the server answered ' + answer.status)
  show(await answer.json())
}

function ask(why) {
  sessionStorage.removeItem('key')
  byId('about').textContent = why
  byId('routes').textContent = ''
  byId('ask').hidden = false
  byId('key').focus()
}

function start() {
  load().catch((error) => {
    byId('routes').textContent = 'The description could not be loaded: ' + error.message
  })
}
function submit() {
  sessionStorage.setItem('key', byId('key').value.trim())
  start()
}
byId('open').addEventListener('click', submit)
byId('key').addEventListener('keydown', (event) => {
  if (event.key === 'Enter') submit()
})
byId('filter').addEventListener('input', (event) => {
  const wanted = event.target.value.toLowerCase()
  for (const details of document.querySelectorAll('details')) details.hidden = !details.dataset.text.includes(wanted)
})
start()
`
