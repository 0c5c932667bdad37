package timing_test

import (
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
)

func ExampleDetectionTime() {
	held := platform.Settings{
		Known:   kernel.SetOf(kernel.Options()...),
		Enabled: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3, UserTimeout: time.Minute,
	}
	for _, name := range []string{"linux", "darwin"} {
		t, _ := platform.Lookup(name)
		d, err := timing.DetectionTime(kernel.RulesOf(t), held)
		fmt.Println(t.Title, d, err)
	}
	// Output:
	// Linux 1m0s <nil>
	// macOS 25s <nil>
}
