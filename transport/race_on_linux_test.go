//go:build race

package transport_test

// raceDetector: the race detector allocates, and makes sync.Pool forget.
const raceDetector = true
