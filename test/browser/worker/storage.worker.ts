import { hostStore } from 'waymark/worker'

hostStore()
