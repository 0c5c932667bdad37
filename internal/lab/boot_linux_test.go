package lab

import (
	"flag"
	"fmt"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// boot makes this program the first and only one of a virtual machine: it runs the
// tests in virtual time and switches the machine off. See scripts/virtualtime.
func boot(m *testing.M) {
	defer unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	for _, mount := range []struct{ where, kind string }{{"/proc", "proc"}, {"/sys", "sysfs"}, {"/dev", "devtmpfs"}, {"/tmp", "tmpfs"}} {
		os.Mkdir(mount.where, 0o755)
		if err := unix.Mount(mount.kind, mount.where, mount.kind, 0, ""); err != nil {
			fmt.Println(mount.where, err)
		}
	}
	if console, err := unix.Open("/dev/console", unix.O_RDWR, 0); err == nil {
		for fd := range 3 {
			unix.Dup3(console, fd, 0)
		}
	}
	code := 1
	defer func() { fmt.Printf("\nEXITCODE %d\n", code) }()
	if err := up("lo"); err != nil {
		fmt.Println("lo:", err)
		return
	}
	os.Setenv(virtual, "1")
	os.Args = append(os.Args[:1], "-test.v", "-test.run=^TestVirtual", "-test.timeout=0")
	flag.Parse()
	AtATime(ManyAtATime)
	code = m.Run()
}

// up switches an interface on.
func up(name string) error {
	if _, err := net.InterfaceByName(name); err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}
