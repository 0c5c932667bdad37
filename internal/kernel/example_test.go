package kernel_test

import (
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A request is translated for a system on which this program does not run.
func ExampleRules_Plan() {
	t, _ := platform.Lookup("netbsd")
	plan, faults := kernel.RulesOf(t).Plan(kernel.Request{Idle: time.Minute, Interval: 10 * time.Second, Count: 3})
	if err := faults.Err(); err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range plan.Steps() {
		fmt.Println(step)
	}
	// Output:
	// SO_KEEPALIVE=0
	// TCP_KEEPIDLE=120
	// TCP_KEEPINTVL=20
	// TCP_KEEPCNT=3
	// SO_KEEPALIVE=1
}

// Every fault is reported at once, with the limits of that system.
func ExampleRules_Check() {
	t, _ := platform.Lookup("illumos")
	for _, fault := range kernel.RulesOf(t).Check(kernel.Request{Interval: 2 * time.Minute, UserTimeout: -time.Second}) {
		fmt.Println(fault)
	}
	// Output:
	// interval=120s is too large: TCP_KEEPINTVL on illumos takes 1s to 60s
	// user-timeout=-1s is negative: 0 leaves it alone, NoUserTimeout (-1ns, "off" in text) switches it off
	// interval=120s without count is not possible on illumos: the kernel computes the missing one from its abort threshold; set both
}

func ExampleRules_Nearest() {
	t, _ := platform.Lookup("windows-before-1709")
	nearest, changes, _ := kernel.RulesOf(t).Nearest(kernel.Request{Idle: time.Minute, Count: 3})
	fmt.Println(nearest.Idle, nearest.Interval, nearest.Count)
	for _, c := range changes {
		fmt.Println(c)
	}
	// Output:
	// 1m0s 1s 0
	// interval=unset -> 1s: idle=60s without interval is not possible on windows-before-1709: SIO_KEEPALIVE_VALS sets both at once, and the value in force cannot be read; set both
	// count=3 -> unset: count=3 is not supported on windows-before-1709: Windows before 10 version 1709 fixes it, usually at 10 probes
}

// NotInherited returns the options that must be set on an accepted connection.
func ExampleRules_NotInherited() {
	all := kernel.SetOf(kernel.Options()...)
	for _, name := range []string{"linux", "freebsd", "darwin"} {
		t, _ := platform.Lookup(name)
		fmt.Printf("%s: %q\n", t.Title, kernel.RulesOf(t).NotInherited(all).String())
	}
	// Output:
	// Linux: ""
	// FreeBSD: "user-timeout"
	// macOS: "keepalive, idle, interval, count, user-timeout"
}
