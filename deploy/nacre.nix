# services.nacre = { enable = true; drill.enable = true; environmentFile = "/run/secrets/nacre.env"; package = …; };
{ config, lib, pkgs, ... }:
let
  cfg = config.services.nacre;
  # What neither the server nor a drill needs, they can't do.
  hardening = {
    DynamicUser = true;
    UMask = "0077";
    CapabilityBoundingSet = "";
    NoNewPrivileges = true;
    LockPersonality = true;
    PrivateDevices = true;
    PrivateTmp = true;
    PrivateUsers = true;
    ProcSubset = "pid";
    ProtectClock = true;
    ProtectControlGroups = true;
    ProtectHome = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectKernelTunables = true;
    ProtectProc = "invisible";
    ProtectSystem = "strict";
    RestrictAddressFamilies = [ "AF_INET" "AF_INET6" "AF_UNIX" ];
    RestrictNamespaces = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    SystemCallArchitectures = "native";
    SystemCallFilter = [ "@system-service" "~@privileged @resources" ];
  };
in
{
  options.services.nacre = {
    enable = lib.mkEnableOption "Nacre, an AT Protocol Personal Data Server";
    package = lib.mkOption {
      type = lib.types.package;
      description = "The nacre package, with bin/nacre.";
    };
    host = lib.mkOption {
      type = lib.types.str;
      default = "127.0.0.1";
      description = "The address to listen on.";
    };
    port = lib.mkOption {
      type = lib.types.port;
      default = 8787;
      description = "The port to listen on.";
    };
    environmentFile = lib.mkOption {
      type = lib.types.path;
      description = "The nacre.env that nacre init --target box makes; keep it out of the store.";
    };
    drill.enable = lib.mkEnableOption "a weekly drill of the newest backup";
    settings = lib.mkOption {
      type = lib.types.attrsOf lib.types.str;
      default = { };
      example = { TRUSTED_PROXIES = "loopback"; };
      description = "Variables that aren't secret.";
    };
  };

  config = lib.mkIf cfg.enable {
    systemd.services.nacre = {
      description = "Nacre, an AT Protocol Personal Data Server";
      after = [ "network-online.target" ];
      wants = [ "network-online.target" ];
      wantedBy = [ "multi-user.target" ];
      environment = { LOG_FORMAT = "json"; MALLOC_ARENA_MAX = "2"; } // cfg.settings;
      serviceConfig = hardening // {
        ExecStart = "${cfg.package}/bin/nacre serve --data /var/lib/nacre --host ${cfg.host} --port ${toString cfg.port}";
        EnvironmentFile = cfg.environmentFile;
        StateDirectory = "nacre";
        StateDirectoryMode = "0700";
        Restart = "always";
        RestartSec = 2;
        TimeoutStopSec = 30;
        LimitNOFILE = 16384;
      };
    };

    systemd.services.nacre-drill = lib.mkIf cfg.drill.enable {
      description = "Drill of Nacre's newest backup";
      after = [ "nacre.service" "network-online.target" ];
      wants = [ "network-online.target" ];
      environment = cfg.settings;
      # The command takes the administrator's password from NACRE_ADMIN_PASSWORD.
      script = ''
        NACRE_ADMIN_PASSWORD="$ADMIN_PASSWORD" exec ${cfg.package}/bin/nacre backup drill --report --server "$PUBLIC_URL"
      '';
      serviceConfig = hardening // {
        Type = "oneshot";
        EnvironmentFile = cfg.environmentFile;
        TimeoutStartSec = "6h";
        Nice = 10;
        IOSchedulingClass = "idle";
        InaccessiblePaths = "-/var/lib/private/nacre";
      };
    };

    systemd.timers.nacre-drill = lib.mkIf cfg.drill.enable {
      description = "Weekly drill of Nacre's newest backup";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnCalendar = "Sun *-*-* 05:00:00 UTC";
        RandomizedDelaySec = "1h";
        Persistent = true;
      };
    };
  };
}
