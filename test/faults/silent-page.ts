/** A page that never reports. */
document.body.append('Nothing to see')
