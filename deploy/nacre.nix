# services.nacre = { enable = true; environmentFile = "/run/secrets/nacre.env"; package = …; };
{ config, lib, pkgs, ... }:
let
  cfg = config.services.nacre;
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
      serviceConfig = {
        ExecStart = "${cfg.package}/bin/nacre serve --data /var/lib/nacre --host ${cfg.host} --port ${toString cfg.port}";
        EnvironmentFile = cfg.environmentFile;
        DynamicUser = true;
        StateDirectory = "nacre";
        StateDirectoryMode = "0700";
        UMask = "0077";
        Restart = "always";
        TimeoutStopSec = 30;
        CapabilityBoundingSet = "";
        NoNewPrivileges = true;
        LockPersonality = true;
        PrivateDevices = true;
        PrivateTmp = true;
        ProtectClock = true;
        ProtectControlGroups = true;
        ProtectHome = true;
        ProtectKernelModules = true;
        ProtectKernelTunables = true;
        ProtectSystem = "strict";
        RestrictAddressFamilies = [ "AF_INET" "AF_INET6" "AF_UNIX" ];
        RestrictNamespaces = true;
        RestrictSUIDSGID = true;
        SystemCallArchitectures = "native";
        SystemCallFilter = [ "@system-service" "~@privileged" ];
      };
    };
  };
}
