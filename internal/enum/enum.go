// Package enum names the values of enumerations.
package enum

import "fmt"

// Name is the name of a value, also of one that the enumeration does not have: "State(77)".
func Name[T ~uint8](enumeration string, value T, names ...string) string {
	if int(value) < len(names) {
		return names[value]
	}
	return fmt.Sprintf("%s(%d)", enumeration, uint8(value))
}
