//go:build !race

package sockopt_test

const raceDetector = false
