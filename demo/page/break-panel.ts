import type { Connection } from '../connection.ts'
import { setText } from './dom.ts'

/** The two switches of the demo, apart from the application: they break the connection, not the answers. */
export function bindBreakPanel(connection: Connection): void {
  const offline = buttonOf('go-offline')
  const server = buttonOf('stop-server')
  offline.addEventListener('click', () => connection.setOnline(!connection.isSwitchedOnline))
  server.addEventListener('click', () => void connection.setServerOn(!connection.isServerOn))
  const show = () => {
    const { isSwitchedOnline, isServerOn } = connection
    setText(offline, isSwitchedOnline ? 'Go offline' : 'Go online')
    setText(server, isServerOn ? 'Stop the server' : 'Start the server')
    offline.classList.toggle('is-broken', !isSwitchedOnline)
    server.classList.toggle('is-broken', !isServerOn)
  }
  connection.subscribe(show)
  show()
}

function buttonOf(action: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(`[data-action="${action}"]`)
  if (found === null) throw new Error(`The page has no button "${action}"`)
  return found
}
