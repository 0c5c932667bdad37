// Package enum names the values of enumerations.
package enum

import "fmt"

// Name returns the name of a value. A value without a name gets one such as "State(77)".
func Name[T ~uint8](enumeration string, value T, names ...string) string {
	if int(value) < len(names) {
		return names[value]
	}
	return fmt.Sprintf("%s(%d)", enumeration, uint8(value))
}
