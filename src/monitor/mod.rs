//! Backup monitoring: looks at the newest backup of each region and raises alarms.
