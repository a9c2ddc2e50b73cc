import { type RaceOptions, race } from './racing.ts'

addEventListener('message', async (event: MessageEvent<RaceOptions>) => {
  postMessage(await race(event.data))
})
