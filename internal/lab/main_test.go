package lab

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets many tests run at a time: they wait, nearly all of their time.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "32"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
