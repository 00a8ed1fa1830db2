#ifndef FIREDRILL_CNETLINK_SHIM_H
#define FIREDRILL_CNETLINK_SHIM_H

#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <netlink/msg.h>
#include <netlink/attr.h>

#endif
