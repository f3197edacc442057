// npm start: installs what is missing, then becomes the server.
import './install.mjs'

await import('./lintel.mjs')
