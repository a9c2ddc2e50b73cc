import type { Connection } from '../connection.ts'
import { button, byId, h, setText } from './dom.ts'

/** The two switches of the demo, apart from the application: they break the connection, not the answers. */
export function showBreakPanel(connection: Connection): void {
  const offline = button('go-offline', '', {
    look: 'quiet',
    onClick: () => connection.setOnline(!connection.isSwitchedOnline),
  })
  const server = button('stop-server', '', {
    look: 'quiet',
    onClick: () => void connection.setServerOn(!connection.isServerOn),
  })
  const show = () => {
    const { isSwitchedOnline, isServerOn } = connection
    setText(offline, isSwitchedOnline ? 'Go offline' : 'Go online')
    setText(server, isServerOn ? 'Stop the server' : 'Start the server')
    offline.classList.toggle('is-broken', !isSwitchedOnline)
    server.classList.toggle('is-broken', !isServerOn)
  }
  byId('break').replaceChildren(
    h('h2', {}, 'Try to break it'),
    h('div', { class: 'switches' }, offline, server),
  )
  connection.subscribe(show)
  show()
}
