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
<div id="tools" hidden><input id="filter" type="search" placeholder="Filter: path or word" aria-label="Filter"><button id="download">openapi.json</button></div>
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
#ask,#tools{display:flex;gap:.5rem}
#ask[hidden],#tools[hidden]{display:none}
ul{margin:.2rem 0;padding-left:1.2rem;list-style:none}
.type{color:#5b6b7a}
label{display:block;margin:.2rem 0}
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
