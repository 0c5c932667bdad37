package running

import "fmt"

// dragonflySecondsSince is the kern.osreldate from which the options of
// DragonFly BSD count seconds (golang/go#65809).
const dragonflySecondsSince = 500702

// solarisIsBefore114 parses the result of uname: release "5.10" is Solaris 10;
// release "5.11" with version "11.3" or "11.4.0.15.0" is Solaris 11. A release
// that it cannot parse counts as recent.
func solarisIsBefore114(release, version string) bool {
	if major, minor, ok := twoNumbers(release); ok && (major < 5 || major == 5 && minor < 11) {
		return true
	}
	major, minor, ok := twoNumbers(version)
	return ok && (major < 11 || major == 11 && minor < 4)
}

func twoNumbers(text string) (major, minor int, ok bool) {
	n, _ := fmt.Sscanf(text, "%d.%d", &major, &minor)
	return major, minor, n == 2
}
